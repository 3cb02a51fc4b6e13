import { eventually } from '../eventually.ts';
import { inTime, timed } from '../in-time.ts';
import { createRelayRig, type RelayRig } from './rig.ts';

describe('a console', () => {
  let rig: RelayRig;
  beforeAll(async () => {
    rig = await createRelayRig();
  });
  afterAll(() => rig.stop());

  test('shows the picture of its machine', async () => {
    const client = await rig.open();
    const rfb = await client.rfb();
    expect(rfb.name).toBe('QEMU (lab-100)');
    const { width, height } = rig.guest.framebuffer();
    expect([rfb.width, rfb.height]).toEqual([width, height]);
    // The screen may change during an update: the machine still starts, and its clock always changes.
    await eventually('nine of ten pixels are equal', async () => {
      rfb.requestUpdate(false);
      await rfb.nextUpdate();
      const { data } = rig.guest.framebuffer();
      let equal = 0;
      for (let at = 0; at < data.length; at += 4)
        if (data.subarray(at, at + 3).equals(rfb.framebuffer.subarray(at, at + 3))) equal++;
      return equal / (data.length / 4) > 0.9;
    });
    client.close();
  });

  test('tells the page each step, and that it is open', async () => {
    const client = await rig.open();
    await client.rfb();
    await eventually('the page has a resume token', () => client.messages.length === 6);
    expect(
      client.messages.map((message) => (message.type === 'opening' ? message.step : message.type)),
    ).toEqual(['status', 'console', 'connect', 'authenticate', 'opened', 'resume']);
    expect(client.socket.protocol).toBe('porthole.v1');
    client.close();
  });

  test('sends a plain viewer bytes and no control messages', async () => {
    const client = rig.connect({ token: await rig.mint(), protocols: ['binary'] });
    await client.rfb();
    expect(client.socket.protocol).toBe('binary');
    expect(client.messages).toEqual([]);
    client.close();
  });

  test('forwards keys and pointer events to the machine', async () => {
    const client = await rig.open();
    const rfb = await client.rfb();
    rfb.type('hello');
    rfb.pointer(123, 45, 1);
    await eventually('the keys arrived', () => rig.guest.keys().endsWith('hello'));
    await eventually(
      'the pointer arrived',
      () => rig.guest.pointer().x === 123 && rig.guest.pointer().y === 45,
    );
    client.close();
  });

  test('forwards no input of a view-only viewer', async () => {
    const client = await rig.open({ mode: 'view' });
    const rfb = await client.rfb();
    const before = rig.guest.keys();
    rfb.type('no');
    rfb.pointer(7, 7, 1);
    rfb.cutText('no');
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
    expect(rig.guest.keys()).toBe(before);
    expect(rig.guest.pointer().x).not.toBe(7);
    expect(rig.guest.clipboard()).not.toBe('no');
    client.close();
  });

  test('does not disconnect other viewers when a viewer requests exclusive access', async () => {
    const first = await rig.open();
    await first.rfb();
    const second = await rig.open();
    await second.rfb();
    expect(first.socket.readyState).toBe(first.socket.OPEN);
    expect(rig.proxmox.openConsoles(100)).toBeGreaterThanOrEqual(2);
    first.close();
    second.close();
  });

  test('is closed at Proxmox within two seconds after its tab was closed', async () => {
    await eventually('earlier consoles are closed', () => rig.proxmox.openConsoles() === 0);
    await inTime(2000, async () => {
      const client = await rig.open();
      await client.rfb();
      expect(rig.proxmox.openConsoles(100)).toBe(1);
      client.socket.terminate();
      return timed(() => eventually('it is closed at Proxmox', () => rig.proxmox.openConsoles(100) === 0));
    });
  });

  test('stays open when its machine is reset', async () => {
    const client = await rig.open();
    const rfb = await client.rfb();
    await rig.guest.reset();
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
    rfb.type('x');
    await eventually('keys still arrive', () => rig.guest.keys().includes('x'));
    client.close();
  });

  test('never violates the frame rules of Proxmox', () => {
    expect(rig.proxmox.violations).toEqual([]);
  });
});
