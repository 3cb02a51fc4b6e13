import { systemClock } from '@porthole/shared/time/clock';
import { closeCodes } from '@porthole/shared/protocol/close-codes';
import { eventually } from '../../eventually.ts';
import { createBuiltinGuest } from '../../fakes/guests/builtin.ts';
import type { RfbClient } from '../../fakes/guests/rfb-client.ts';
import type { ConsoleClient } from '../console-client.ts';
import { aGrant, createRelayRig, testOrigin, type RelayRig } from '../rig.ts';
import { randomChunks } from '../chunks.ts';
import { type RawWebSocket, openRawWebSocket } from '../raw-websocket.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { binaryFrame, clientFrame } from '../websocket-frames.ts';

/** Sessions of other users beside each hostile viewer, and how many of them are checked after each test. */
const otherSessions = 200;
const checkedSessions = 20;
const version = Buffer.from('RFB 003.008\n');
const nodeOf = (vmid: number) => `pve${2 + (vmid % 4)}`;
/** A quota that no test reaches. */
const largeQuota = () => ({ limits: { ...aGrant(systemClock).limits, perUser: 1000, perMachine: 1000 } });
/** A viewer's complete handshake: version, security type None, not shared. */
const handshake = Buffer.concat([version, Buffer.from([1, 0])]);
const updateRequest = Buffer.from([3, 0, 0, 0, 0, 0, 0, 8, 0, 8]);

describe('other sessions are not affected by a viewer', () => {
  let rig: RelayRig;
  let others: { client: ConsoleClient; rfb: RfbClient }[];
  beforeAll(async () => {
    // Proxmox has a hundred console ports per node and five seconds, so the other sessions use four nodes.
    const nodes = Array.from({ length: 5 }, (_, i) => ({ name: `pve${i + 1}`, address: `127.0.0.${i + 2}` }));
    rig = await createRelayRig({ proxmox: { nodes }, deadlines: { closeAnswer: 300 }, opensPerNode: 25 });
    for (let vmid = 101; vmid <= 120; vmid++)
      await rig.proxmox.addGuest({
        vmid,
        node: nodeOf(vmid),
        name: `lab-${vmid}`,
        guest: createBuiltinGuest({ name: `lab-${vmid}`, width: 160, height: 120 }),
        running: true,
      });
    others = await Promise.all(
      Array.from({ length: otherSessions }, async (_, i) => {
        const vmid = 101 + (i % 20);
        const client = await rig.open({ ...largeQuota(), vmid, node: nodeOf(vmid) });
        return { client, rfb: await client.rfb() };
      }),
    );
  }, 120_000);
  afterAll(() => rig.stop());

  /** The other sessions are connected and get updates, and the hostile viewer's console is closed. */
  afterEach(async () => {
    for (const { client } of others) expect(client.socket.readyState).toBe(client.socket.OPEN);
    // Different ones after each test.
    others.push(...others.splice(0, checkedSessions));
    for (const { rfb } of others.slice(-checkedSessions)) {
      rfb.requestUpdate(false);
      await rfb.nextUpdate();
    }
    await eventually('only the other consoles are open', () => rig.proxmox.openConsoles() === otherSessions);
    expect(rig.proxmox.violations).toEqual([]);
  });

  const connect = async (overrides: Parameters<RelayRig['mint']>[0] = {}): Promise<RawWebSocket> =>
    openRawWebSocket(rig.url.replace('ws:', 'http:'), {
      token: await rig.mint({ ...largeQuota(), ...overrides }),
      origin: testOrigin,
    });
  const openConsole = async (overrides: Parameters<RelayRig['mint']>[0] = {}): Promise<RawWebSocket> => {
    const viewer = await connect(overrides);
    viewer.socket.write(binaryFrame(handshake));
    await eventually('the console is open', () => viewer.received().includes('"opened"'));
    return viewer;
  };
  const expectCloseFrame = async (viewer: RawWebSocket, name: keyof typeof closeCodes) => {
    await viewer.closed;
    const code = Buffer.alloc(2);
    code.writeUInt16BE(closeCodes[name].code);
    expect(viewer.received().includes(code)).toBe(true);
  };

  test('that sends random bytes', async () => {
    const random = createSeededRandom(3);
    for (let round = 0; round < 10; round++) {
      const viewer = await openConsole();
      viewer.socket.write(Buffer.from(Array.from({ length: 2000 }, () => random(256))));
      await viewer.closed;
    }
  });

  test('that sends frames without a mask', async () => {
    const viewer = await openConsole();
    viewer.socket.write(Buffer.from([0x82, 1, 3]));
    await expectCloseFrame(viewer, 'protocol');
  });

  test('that sends much right behind its handshake', async () => {
    const viewer = await connect();
    viewer.socket.write(binaryFrame(Buffer.concat([handshake, Buffer.alloc(100_000, 3)])));
    await expectCloseFrame(viewer, 'too_big');
  });

  test('that sends an unknown control message', async () => {
    const viewer = await openConsole();
    viewer.socket.write(clientFrame({ opcode: 1, payload: Buffer.from('{"type":"please"}') }));
    await expectCloseFrame(viewer, 'protocol');
  });

  test('that announces a frame of 2^44 bytes', async () => {
    const viewer = await openConsole();
    viewer.socket.write(Buffer.from('82ff00000fffffffffff00000000', 'hex'));
    await expectCloseFrame(viewer, 'too_big');
  });

  test('that sends one byte per frame, and one byte of a frame per write', async () => {
    const viewer = await connect();
    for (const byte of Buffer.concat([handshake, updateRequest]))
      for (const frameByte of binaryFrame(Buffer.from([byte]))) viewer.socket.write(Buffer.from([frameByte]));
    await eventually('an update has arrived', () => viewer.received().length > 1000);
    viewer.socket.destroy();
  });

  test('that fragments its messages, with pings in between', async () => {
    const viewer = await openConsole();
    const fragments = Array.from(updateRequest, (byte, i) =>
      clientFrame({
        opcode: i === 0 ? 2 : 0,
        final: i === updateRequest.length - 1,
        payload: Buffer.from([byte]),
      }),
    );
    viewer.socket.write(
      Buffer.concat(
        fragments.flatMap((fragment) => [fragment, clientFrame({ opcode: 9, payload: Buffer.from('?') })]),
      ),
    );
    await eventually('an update has arrived', () => viewer.received().length > 1000);
    viewer.socket.destroy();
  });

  test('that floods the relay with pings and pointer events and reads nothing', async () => {
    const viewer = await openConsole();
    viewer.socket.pause();
    const pointer = binaryFrame(Buffer.from([5, 0, 0, 1, 0, 1]));
    const flood = Buffer.concat(
      Array.from({ length: 20_000 }, () =>
        Buffer.concat([clientFrame({ opcode: 9, payload: Buffer.alloc(100) }), pointer]),
      ),
    );
    viewer.socket.write(flood);
    await eventually('the flood was sent', () => viewer.socket.writableLength === 0);
    viewer.socket.destroy();
  });

  test('that requests large updates and reads none', async () => {
    const viewer = await openConsole();
    viewer.socket.pause();
    for (let i = 0; i < 5; i++)
      viewer.socket.write(binaryFrame(Buffer.from([3, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])));
    for (const { rfb } of others.slice(0, 10)) {
      rfb.requestUpdate(false);
      await rfb.nextUpdate();
    }
    viewer.socket.destroy();
  });

  test('that never completes its handshake', async () => {
    const viewers = await Promise.all(Array.from({ length: 20 }, () => connect()));
    for (const viewer of viewers) viewer.socket.write(binaryFrame(version.subarray(0, 5)));
    for (const { rfb } of others.slice(0, 10)) {
      rfb.requestUpdate(false);
      await rfb.nextUpdate();
    }
    for (const viewer of viewers) viewer.socket.destroy();
  });

  test('that disconnects within a frame', async () => {
    for (let cut = 1; cut < 16; cut++) {
      const viewer = await openConsole();
      viewer.socket.write(binaryFrame(updateRequest).subarray(0, cut));
      viewer.socket.resetAndDestroy();
    }
  });

  test('that sends messages after its close frame', async () => {
    const viewer = await openConsole();
    viewer.socket.write(
      Buffer.concat([clientFrame({ opcode: 8, payload: Buffer.from([3, 232]) }), binaryFrame(updateRequest)]),
    );
    await expectCloseFrame(viewer, 'ended');
  });

  test('that sends all kinds of input in a view-only session, which never reaches the machine', async () => {
    const random = createSeededRandom(42);
    const { length } = rig.guest.keys();
    const pointer = rig.guest.pointer();
    const inputs = [
      Buffer.from([4, 1, 0, 0, 0, 0, 0, 0x78]),
      Buffer.from([5, 1, 0, 9, 0, 9]),
      Buffer.from([6, 0, 0, 0, 0, 0, 0, 2, 0x6e, 0x6f]),
      Buffer.from([255, 0, 0, 1, 0, 0, 0, 0x78, 0, 0, 0, 45]),
      Buffer.from([251, 0, 0, 9, 0, 9, 1, 0, ...Buffer.alloc(16)]),
      Buffer.from([250, 0, 1, 2]),
    ];
    for (let round = 0; round < 30; round++) {
      const viewer = await openConsole({ mode: 'view' });
      const messages = Array.from({ length: 40 }, () =>
        random(4) === 0 ? updateRequest : (inputs[random(inputs.length)] ?? updateRequest),
      );
      const bytes = Buffer.concat(messages);
      // A mutation may end the session anywhere, but must not become input.
      if (round % 2 === 1) bytes[random(bytes.length)] = random(256);
      for (const chunk of randomChunks(bytes, random)) viewer.socket.write(binaryFrame(chunk));
      viewer.socket.write(clientFrame({ opcode: 8, payload: Buffer.from([3, 232]) }));
      await viewer.closed;
    }
    expect(rig.guest.keys()).toHaveLength(length);
    expect(rig.guest.pointer()).toEqual(pointer);
    expect(rig.guest.clipboard()).not.toBe('no');
  });
});

test('a viewer that never completes its handshake is disconnected', async () => {
  const rig = await createRelayRig({ deadlines: { viewerHandshake: 300, closeAnswer: 300 } });
  const viewer = await openRawWebSocket(rig.url.replace('ws:', 'http:'), {
    token: await rig.mint(),
    origin: testOrigin,
  });
  await viewer.closed;
  await eventually('Proxmox has no open console', () => rig.proxmox.openConsoles() === 0);
  await rig.stop();
});
