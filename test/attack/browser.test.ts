import { createConsoleSignals } from '@porthole/shared/session/signals';
import { createTerminationOrders } from '@porthole/shared/session/termination-orders';
import { systemClock } from '@porthole/shared/time/clock';
import { systemRandom } from '@porthole/shared/crypto/random';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { eventually } from '../eventually.ts';
import { createFakeClock, type FakeClock } from '../fakes/clock.ts';
import { createRelayRig, grantKey, testOrigin, type RelayRig, type RigOptions } from '../relay/rig.ts';
import { binaryFrame, clientFrame } from '../relay/websocket-frames.ts';
import { randomChunks } from '../relay/chunks.ts';
import { createSeededRandom } from '../relay/seeded-random.ts';
import { openRawWebSocket, type RawWebSocket } from '../relay/raw-websocket.ts';
import { expectNoConnections, readMetric } from './relay-counts.ts';
import { rounds, roundsTimeout } from './rounds.ts';
import { threat } from './threat-table.ts';

let rig: RelayRig;
const start = async (options: RigOptions = {}) => (rig = await createRelayRig(options));
afterEach(async () => {
  await eventually('no console is open at Proxmox', () => rig.proxmox.openConsoles() === 0);
  await rig.stop();
});

const openOne = async (claims: Partial<GrantClaims> = {}): Promise<RawWebSocket> =>
  openRawWebSocket(rig.url.replace('ws:', 'http:'), { token: await rig.mint(claims), origin: testOrigin });

const noneLeft = () => expectNoConnections(rig);

describe(threat('B5'), () => {
  const invalidText = clientFrame({ opcode: 1, payload: Buffer.from('{"type":"please"}') });
  const keys = () => [grantKey];
  const issue = () =>
    createTerminationOrders({
      records: rig.store.records,
      signals: createConsoleSignals({
        bus: rig.store.signals,
        keys,
        random: systemRandom,
        clock: systemClock,
      }),
      keys,
      random: systemRandom,
      clock: systemClock,
    }).issue({ kind: 'user', ref: 'student' }, 'ended_by_operator');
  const version = binaryFrame(Buffer.from('RFB 003.008\n\x01', 'latin1'));
  const clientInit = binaryFrame(Buffer.from([1]));

  test.each([
    ['ClientInit and an invalid text in one packet', [Buffer.concat([version, clientInit, invalidText])]],
    ['ClientInit, and an invalid text in a packet of its own', [version, clientInit, invalidText]],
    ['an invalid text before its handshake', [invalidText, version, clientInit]],
    [
      'ClientInit, an invalid text and its close',
      [
        version,
        Buffer.concat([clientInit, invalidText, clientFrame({ opcode: 8, payload: Buffer.alloc(0) })]),
      ],
    ],
    [
      'everything at once, and more',
      [Buffer.concat([version, clientInit, invalidText, clientInit, invalidText])],
    ],
  ])(
    '%s, followed by an order',
    async (_what, packets) => {
      await start();
      const late = await openOne();
      late.socket.write(version);
      late.socket.write(clientInit);
      await eventually('it is open', () => late.received().includes('"opened"'));
      for (let round = 0; round < rounds(8); round++) {
        const wires = await Promise.all(Array.from({ length: 4 }, () => openOne()));
        for (const packet of packets) {
          for (const wire of wires) wire.socket.write(packet);
          if (round % 2) await new Promise((resolve) => setImmediate(resolve));
        }
        await Promise.all(
          wires.map((wire) =>
            eventually('the console ended', () => wire.received().includes(Buffer.from([0x88]))),
          ),
        );
        for (const wire of wires) wire.socket.destroy();
        await eventually('only one console is open', () => rig.proxmox.openConsoles() === 1);
      }
      await issue();
      await eventually('no order is ignored', () => rig.proxmox.openConsoles() === 0);
      late.socket.destroy();
      await noneLeft();
      expect(await readMetric(rig, 'porthole_relay_sessions{mode="control",kind="screen"}')).toBe(0);
    },
    roundsTimeout,
  );
});

describe(threat('B6'), () => {
  let clock: FakeClock;
  const clientInit = Buffer.from('RFB 003.008\n\x01\x01', 'latin1');
  const close = clientFrame({ opcode: 8, payload: Buffer.from([3, 232]) });

  test.each<[string, (wire: RawWebSocket) => void]>([
    [
      'closes right behind ClientInit',
      ({ socket }) => void socket.write(Buffer.concat([binaryFrame(clientInit), close])),
    ],
    [
      'resets right behind ClientInit',
      ({ socket }) => void socket.write(binaryFrame(clientInit), () => socket.resetAndDestroy()),
    ],
    ['closes before its handshake', ({ socket }) => void socket.write(close)],
    ['resets at once', ({ socket }) => void socket.resetAndDestroy()],
    ['breaks the protocol', ({ socket }) => void socket.write(Buffer.from([0x82, 1, 3]))],
  ])(
    'a viewer that %s leaves no timer',
    async (_what, leave) => {
      clock = createFakeClock(Date.now());
      await start({ clock });
      const before = clock.pending();
      for (let round = 0; round < rounds(10); round++) {
        const wire = await openOne();
        leave(wire);
        await wire.closed;
        await eventually('all timers are cancelled', () => clock.pending() === before);
      }
      await noneLeft();
    },
    roundsTimeout,
  );

  test(
    'viewers that leave at any moment, cut anywhere, leave nothing',
    async () => {
      clock = createFakeClock(Date.now());
      await start({ clock });
      const before = clock.pending();
      const random = createSeededRandom(11);
      const script = Buffer.concat([
        binaryFrame(clientInit),
        binaryFrame(Buffer.from([3, 0, 0, 0, 0, 0, 0, 8, 0, 8])),
        clientFrame({ opcode: 1, payload: Buffer.from('{"type":"ping"}') }),
        close,
      ]);
      for (let round = 0; round < rounds(30); round++) {
        const wire = await openOne();
        for (const piece of randomChunks(script.subarray(0, random(script.length)), random)) {
          wire.socket.write(piece);
          for (let turns = random(4); turns > 0; turns--)
            await new Promise((resolve) => setImmediate(resolve));
        }
        if (random(2)) wire.socket.resetAndDestroy();
        else wire.socket.end();
        await wire.closed;
      }
      await eventually('all timers are cancelled', () => clock.pending() === before);
      await noneLeft();
    },
    roundsTimeout,
  );
});
