import fc from 'fast-check';
import { u16, u32 } from '../rfb/bytes.ts';
import { loadNovncTight } from './novnc-tight.ts';
import {
  createConnected,
  decodeFakeJpeg,
  DrawnMachine,
  expectedPixels,
  fakeJpeg,
  novncEncodings,
  setEncodings,
  updateRequest,
  type SentKeyframe,
} from './picture-server-rig.ts';
import { nativeFormat, sampleFormats } from './sample-formats.ts';
import { TestViewer } from './test-viewer.ts';

const createTight = await loadNovncTight();

/** A player that begins at a keyframe. */
function playFrom({ width, height, bytes }: SentKeyframe, format = nativeFormat): TestViewer {
  const player = new TestViewer((w, h) => createTight(w, h, decodeFakeJpeg));
  player.receive([u16(width), u16(height), nativeFormat.bytes, u32(0)]);
  player.format = format;
  player.receive([bytes]);
  return player;
}

const step = fc.oneof(
  fc.record({ type: fc.constantFrom('draw', 'photo', 'keyframe', 'ask', 'askForAll') }),
  fc.record({ type: fc.constantFrom('deliver', 'advance'), amount: fc.integer({ min: 1, max: 3000 }) }),
);

test('a player that begins at any keyframe and gets what the viewer gets from there on shows the same in the end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.boolean(),
      fc.constantFrom(...sampleFormats),
      async (steps, jpeg, format) => {
        const rig = await createConnected(150, 100, { encodeJpeg: fakeJpeg });
        const viewer = rig.addViewer(1, jpeg ? [...novncEncodings, -26] : novncEncodings);
        rig.setFormat(1, format);
        const players: TestViewer[] = [];
        const receive = viewer.receive.bind(viewer);
        viewer.receive = (parts) => {
          receive(parts);
          for (const player of players) player.receive(parts);
        };
        rig.askForAll(1);
        const machine: DrawnMachine = rig.machine;
        const startPlayers = () => {
          for (const keyframe of rig.keyframes.splice(0)) players.push(playFrom(keyframe, format));
        };
        for (const each of steps) {
          if (each.type === 'draw') machine.draw();
          else if (each.type === 'photo') machine.drawPhoto();
          else if (each.type === 'keyframe') rig.server.requestKeyframe(1);
          else if (each.type === 'ask') rig.send(1, updateRequest(true));
          else if (each.type === 'askForAll') rig.send(1, updateRequest(false));
          else if ('amount' in each && each.type === 'deliver') machine.deliver(each.amount);
          else if ('amount' in each) rig.clock.advance(each.amount);
          startPlayers();
        }
        machine.deliver();
        startPlayers();
        for (let turn = 0; turn < 6; turn++) {
          rig.clock.advance(5000);
          rig.send(1, updateRequest(true));
        }
        expect(viewer.pixels).toEqual(expectedPixels(viewer, machine));
        for (const player of players) expect(player.pixels).toEqual(viewer.pixels);
      },
    ),
    { numRuns: 25 },
  );
});

test('a keyframe has the pointer that the viewer knows, and waits until the machine has sent all of an update', async () => {
  const rig = await createConnected();
  rig.addViewer(1, novncEncodings);
  rig.machine.notify(1, 1, 1, 1, -239, Buffer.from([1, 2, 3, 0, 0x80]));
  rig.machine.deliver();
  rig.askForAll(1);
  rig.machine.drawPhoto();
  rig.machine.deliver(200);
  rig.server.requestKeyframe(1);
  expect(rig.keyframes).toEqual([]);
  rig.machine.deliver();
  const [keyframe] = rig.keyframes;
  expect(playFrom(keyframe!).notices).toMatchObject([{ encoding: -239, width: 1, height: 1 }]);
});

test('a viewer that shows another size than the machine has, or that has left, gets no keyframe', async () => {
  const rig = await createConnected();
  rig.addViewer(1, [7, 0]);
  rig.askForAll(1);
  rig.server.requestKeyframe(1);
  expect(rig.keyframes).toHaveLength(1);
  rig.machine.resize(200, 64);
  rig.machine.deliver();
  rig.machine.append(rig.machine.picture.all());
  rig.machine.deliver();
  rig.server.requestKeyframe(1);
  rig.server.requestKeyframe(2);
  rig.askForAll(1);
  expect(rig.keyframes).toHaveLength(1);
  rig.send(1, setEncodings([...novncEncodings]));
  rig.askForAll(1);
  rig.server.requestKeyframe(1);
  expect(rig.keyframes.map(({ width, height }) => [width, height])).toEqual([
    [128, 128],
    [200, 64],
  ]);
});
