import { eventually } from '../../eventually.ts';
import { createMemoryMachine } from './memory-machine.ts';
import { attachViewer, createSharedScreenRig, updateRequest } from './shared-screen-rig.ts';

describe('a shared screen', () => {
  let rig: ReturnType<typeof createSharedScreenRig>;
  beforeEach(() => {
    rig = createSharedScreenRig();
  });
  afterEach(() => rig.stop());

  test('serves one console to two viewers', async () => {
    const { screen } = rig.open();
    const machine = createMemoryMachine();
    const connected = screen.connect(machine.upstream);
    machine.show({ width: 4, height: 2 });
    await connected;
    const viewers = [attachViewer(screen), attachViewer(screen)];
    for (const viewer of viewers) {
      viewer.start(updateRequest());
      await eventually('the viewer has the picture', () => viewer.received().length === 24 + 7 + 16 + 32);
      expect(viewer.received().toString('latin1', 24, 31)).toBe('lab-100');
      expect(viewer.received().readUInt32LE(47)).toBe(0x11_22_33);
    }
  });
});
