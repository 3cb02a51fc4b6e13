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

/** Sessions of honest people beside each hostile one, and how many of them look for themselves each time. */
const honest = 200;
const looking = 20;
const version = Buffer.from('RFB 003.008\n');
const nodeOf = (vmid: number) => `pve${2 + (vmid % 4)}`;
/** More consoles of one machine and one person than anybody is granted. */
const roomy = () => ({ limits: { ...aGrant(systemClock).limits, perUser: 1000, perMachine: 1000 } });
/** A viewer's whole handshake: version, security type None, not shared. */
const handshake = Buffer.concat([version, Buffer.from([1, 0])]);
const updateRequest = Buffer.from([3, 0, 0, 0, 0, 0, 0, 8, 0, 8]);

describe('beside a hostile browser', () => {
  let rig: RelayRig;
  let others: { client: ConsoleClient; rfb: RfbClient }[];
  beforeAll(async () => {
    // A node gives away a hundred ports in five seconds, and no more: four of them share the honest.
    const nodes = Array.from({ length: 5 }, (_, i) => ({ name: `pve${i + 1}`, address: `127.0.0.${i + 2}` }));
    rig = await createRelayRig({ proxmox: { nodes } });
    for (let vmid = 101; vmid <= 120; vmid++)
      await rig.proxmox.addGuest({
        vmid,
        node: nodeOf(vmid),
        name: `lab-${vmid}`,
        guest: createBuiltinGuest({ name: `lab-${vmid}`, width: 160, height: 120 }),
        running: true,
      });
    others = await Promise.all(
      Array.from({ length: honest }, async (_, i) => {
        const vmid = 101 + (i % 20);
        const client = await rig.open({ ...roomy(), vmid, node: nodeOf(vmid) });
        return { client, rfb: await client.rfb() };
      }),
    );
  }, 120_000);
  afterAll(() => rig.stop());

  /** Everybody else still gets pictures, nobody was disconnected, nothing of the hostile one is left. */
  afterEach(async () => {
    for (const { client } of others) expect(client.socket.readyState).toBe(client.socket.OPEN);
    // Others each time.
    others.push(...others.splice(0, looking));
    for (const { rfb } of others.slice(-looking)) {
      rfb.requestUpdate(false);
      await rfb.nextUpdate();
    }
    await eventually('only the honest consoles are open', () => rig.proxmox.openConsoles() === honest);
    expect(rig.proxmox.violations).toEqual([]);
  });

  const wire = async (different: Parameters<RelayRig['mint']>[0] = {}): Promise<RawWebSocket> =>
    openRawWebSocket(rig.url.replace('ws:', 'http:'), {
      token: await rig.mint({ ...roomy(), ...different }),
      origin: testOrigin,
    });
  const opened = async (different: Parameters<RelayRig['mint']>[0] = {}): Promise<RawWebSocket> => {
    const one = await wire(different);
    one.socket.write(binaryFrame(handshake));
    await eventually('the console is open', () => one.received().includes('"opened"'));
    return one;
  };
  /** It was sent away with this code. */
  const expectClose = async (one: RawWebSocket, name: keyof typeof closeCodes) => {
    await one.closed;
    const code = Buffer.alloc(2);
    code.writeUInt16BE(closeCodes[name].code);
    expect(one.received().includes(code)).toBe(true);
  };

  test('that sends garbage', async () => {
    const random = createSeededRandom(3);
    for (let round = 0; round < 10; round++) {
      const one = await opened();
      one.socket.write(Buffer.from(Array.from({ length: 2000 }, () => random(256))));
      await one.closed;
    }
  });

  test('that sends frames without a mask', async () => {
    const one = await opened();
    one.socket.write(Buffer.from([0x82, 1, 3]));
    await expectClose(one, 'protocol');
  });

  test('that talks without being told to in the handshake', async () => {
    const one = await wire();
    one.socket.write(binaryFrame(Buffer.concat([handshake, Buffer.alloc(100_000, 3)])));
    await expectClose(one, 'too_big');
  });

  test('that sends a text', async () => {
    const one = await opened();
    one.socket.write(clientFrame({ opcode: 1, payload: Buffer.from('{"type":"please"}') }));
    await expectClose(one, 'protocol');
  });

  test('that claims an endless frame', async () => {
    const one = await opened();
    one.socket.write(Buffer.from('82ff00000fffffffffff00000000', 'hex'));
    await expectClose(one, 'too_big');
  });

  test('that sends everything byte by byte, each in a frame of its own', async () => {
    const one = await wire();
    for (const byte of Buffer.concat([handshake, updateRequest]))
      for (const piece of binaryFrame(Buffer.from([byte]))) one.socket.write(Buffer.from([piece]));
    await eventually('the picture came', () => one.received().length > 1000);
    one.socket.destroy();
  });

  test('that fragments its messages, with pings in between', async () => {
    const one = await opened();
    const parts = Array.from(updateRequest, (byte, i) =>
      clientFrame({
        opcode: i === 0 ? 2 : 0,
        final: i === updateRequest.length - 1,
        payload: Buffer.from([byte]),
      }),
    );
    one.socket.write(
      Buffer.concat(parts.flatMap((part) => [part, clientFrame({ opcode: 9, payload: Buffer.from('?') })])),
    );
    await eventually('the picture came', () => one.received().length > 1000);
    one.socket.destroy();
  });

  test('that floods it with pings and pointer events and reads no answer', async () => {
    const one = await opened();
    one.socket.pause();
    const pointer = binaryFrame(Buffer.from([5, 0, 0, 1, 0, 1]));
    const flood = Buffer.concat(
      Array.from({ length: 20_000 }, () =>
        Buffer.concat([clientFrame({ opcode: 9, payload: Buffer.alloc(100) }), pointer]),
      ),
    );
    one.socket.write(flood);
    await eventually('the flood was taken', () => one.socket.writableLength === 0);
    one.socket.destroy();
  });

  test('that asks for pictures without end and reads none', async () => {
    const one = await opened();
    one.socket.pause();
    for (let i = 0; i < 5; i++)
      one.socket.write(binaryFrame(Buffer.from([3, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])));
    for (const { rfb } of others.slice(0, 10)) {
      rfb.requestUpdate(false);
      await rfb.nextUpdate();
    }
    one.socket.destroy();
  });

  test('that never finishes its handshake', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => wire()));
    for (const one of all) one.socket.write(binaryFrame(version.subarray(0, 5)));
    for (const { rfb } of others.slice(0, 10)) {
      rfb.requestUpdate(false);
      await rfb.nextUpdate();
    }
    for (const one of all) one.socket.destroy();
  });

  test('that leaves in the middle of a frame', async () => {
    for (let cut = 1; cut < 16; cut++) {
      const one = await opened();
      one.socket.write(binaryFrame(updateRequest).subarray(0, cut));
      one.socket.resetAndDestroy();
    }
  });

  test('that says goodbye and talks on', async () => {
    const one = await opened();
    one.socket.write(
      Buffer.concat([clientFrame({ opcode: 8, payload: Buffer.from([3, 232]) }), binaryFrame(updateRequest)]),
    );
    await expectClose(one, 'ended');
  });

  test('that may only watch, and tries everything to touch', async () => {
    const random = createSeededRandom(42);
    const { length } = rig.guest.keys();
    const pointer = rig.guest.pointer();
    const touching = [
      Buffer.from([4, 1, 0, 0, 0, 0, 0, 0x78]),
      Buffer.from([5, 1, 0, 9, 0, 9]),
      Buffer.from([6, 0, 0, 0, 0, 0, 0, 2, 0x6e, 0x6f]),
      Buffer.from([255, 0, 0, 1, 0, 0, 0, 0x78, 0, 0, 0, 45]),
      Buffer.from([251, 0, 0, 9, 0, 9, 1, 0, ...Buffer.alloc(16)]),
      Buffer.from([250, 0, 1, 2]),
    ];
    for (let round = 0; round < 30; round++) {
      const one = await opened({ mode: 'view' });
      const said = Array.from({ length: 40 }, () =>
        random(4) === 0 ? updateRequest : (touching[random(touching.length)] ?? updateRequest),
      );
      const bytes = Buffer.concat(said);
      // Mutations may make it break off anywhere; what they can't do is to become input.
      if (round % 2 === 1) bytes[random(bytes.length)] = random(256);
      for (const piece of randomChunks(bytes, random)) one.socket.write(binaryFrame(piece));
      one.socket.write(clientFrame({ opcode: 8, payload: Buffer.from([3, 232]) }));
      await one.closed;
    }
    expect(rig.guest.keys()).toHaveLength(length);
    expect(rig.guest.pointer()).toEqual(pointer);
    expect(rig.guest.clipboard()).not.toBe('no');
  });
});

test('a browser that never finishes its handshake is sent away', async () => {
  const rig = await createRelayRig({ deadlines: { viewerHandshake: 300 } });
  const one = await openRawWebSocket(rig.url.replace('ws:', 'http:'), {
    token: await rig.mint(),
    origin: testOrigin,
  });
  await one.closed;
  await eventually('nothing is left at Proxmox', () => rig.proxmox.openConsoles() === 0);
  await rig.stop();
});
