import { eventually } from '../eventually.ts';
import { inTime, timed } from '../in-time.ts';
import { createRelayRig, type RelayRig } from './rig.ts';

describe('a console through the relay', () => {
  let rig: RelayRig;
  beforeAll(async () => {
    rig = await createRelayRig();
  });
  afterAll(() => rig.stop());

  test('shows the machine’s own picture', async () => {
    const client = await rig.open();
    const rfb = await client.rfb();
    expect(rfb.name).toBe('QEMU (lab-100)');
    const { width, height } = rig.guest.framebuffer();
    expect([rfb.width, rfb.height]).toEqual([width, height]);
    // The machine still starts, and its screen may change while a picture is on its way. The clock on it always moves.
    await eventually('nine of ten pixels are those of the machine', async () => {
      rfb.requestUpdate(false);
      await rfb.nextUpdate();
      const { data } = rig.guest.framebuffer();
      let same = 0;
      for (let at = 0; at < data.length; at += 4)
        if (data.subarray(at, at + 3).equals(rfb.framebuffer.subarray(at, at + 3))) same++;
      return same / (data.length / 4) > 0.9;
    });
    client.close();
  });

  test('tells the page each step, and that it is open', async () => {
    const client = await rig.open();
    await client.rfb();
    await eventually('it has a token to come back with', () => client.messages.length === 6);
    expect(
      client.messages.map((message) => (message.type === 'opening' ? message.step : message.type)),
    ).toEqual(['status', 'console', 'connect', 'authenticate', 'opened', 'resume']);
    expect(client.socket.protocol).toBe('porthole.v1');
    client.close();
  });

  test('gives a plain viewer bytes and nothing else', async () => {
    const client = rig.connect({ token: await rig.mint(), protocols: ['binary'] });
    await client.rfb();
    expect(client.socket.protocol).toBe('binary');
    expect(client.messages).toEqual([]);
    client.close();
  });

  test('carries keys and pointer to the machine', async () => {
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

  test('lets a view-only viewer see and not touch', async () => {
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

  test('disconnects nobody when a viewer asks for the machine alone', async () => {
    const first = await rig.open();
    await first.rfb();
    const second = await rig.open();
    await second.rfb();
    expect(first.socket.readyState).toBe(first.socket.OPEN);
    expect(rig.proxmox.openConsoles(100)).toBeGreaterThanOrEqual(2);
    first.close();
    second.close();
  });

  test('ends at Proxmox within two seconds of the tab being closed', async () => {
    await eventually('earlier consoles are gone', () => rig.proxmox.openConsoles() === 0);
    await inTime(2000, async () => {
      const client = await rig.open();
      await client.rfb();
      expect(rig.proxmox.openConsoles(100)).toBe(1);
      client.socket.terminate();
      return timed(() => eventually('it ended at Proxmox', () => rig.proxmox.openConsoles(100) === 0));
    });
  });

  test('survives a reset of the machine', async () => {
    const client = await rig.open();
    const rfb = await client.rfb();
    await rig.guest.reset();
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
    rfb.type('x');
    await eventually('keys still arrive', () => rig.guest.keys().includes('x'));
    client.close();
  });

  test('never breaks a frame rule of Proxmox', () => {
    expect(rig.proxmox.violations).toEqual([]);
  });
});
