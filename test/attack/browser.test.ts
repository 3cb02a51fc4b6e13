import { createConsoleSignals } from '@porthole/shared/session/signals';
import { createTerminationOrders } from '@porthole/shared/session/termination-orders';
import { systemClock } from '@porthole/shared/time/clock';
import { systemRandom } from '@porthole/shared/crypto/random';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { digest, leaseNames, lifetimes, storeKeys } from '@porthole/shared/store/keys';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { LeaseStore } from '@porthole/shared/store/ports';
import { eventually } from '../eventually.ts';
import { createFakeClock, type FakeClock } from '../fakes/clock.ts';
import { createRelayRig, grantKey, testOrigin, type RelayRig, type RigOptions } from '../relay/rig.ts';
import { binaryFrame, clientFrame, closePayload } from '../relay/websocket-frames.ts';
import { randomChunks } from '../relay/chunks.ts';
import { createSeededRandom } from '../relay/seeded-random.ts';
import { openRawWebSocket, type RawWebSocket } from '../relay/raw-websocket.ts';
import { countConnections, expectNoConnections, readMetric } from './relay-counts.ts';
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

const version = binaryFrame(Buffer.from('RFB 003.008\n\x01', 'latin1'));
const clientInit = binaryFrame(Buffer.from([1]));
const close = clientFrame({ opcode: 8, payload: closePayload(1000) });

/** Resolves when this many consoles are open at Proxmox, and the relay has authenticated at all of them. */
const dialled = (consoles: number) =>
  eventually('the consoles are open at Proxmox', async () => {
    const dialling = await rig.store.leases.count(leaseNames.dial('lab', 100));
    return rig.proxmox.openConsoles() === consoles && dialling === 0;
  });

/** Resolves when the relay has sent its close frame. */
const isClosed = (wire: RawWebSocket) =>
  eventually('the relay closes the viewer', () => wire.received().includes(Buffer.from([0x88])));

const keys = () => [grantKey];
/** Ends the user's consoles, as an operator does. */
const issueOrder = () =>
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

describe(threat('B5'), () => {
  const invalidText = clientFrame({ opcode: 1, payload: Buffer.from('{"type":"please"}') });
  /** `later` is sent when the console is open at Proxmox, and the relay waits for nothing but the viewer's ClientInit. */
  test.each<{ what: string; early?: readonly Buffer[]; later?: readonly Buffer[] }>([
    {
      what: 'ClientInit and an invalid text in one packet',
      early: [version],
      later: [Buffer.concat([clientInit, invalidText])],
    },
    {
      what: 'ClientInit, and an invalid text in a packet of its own',
      early: [version],
      later: [clientInit, invalidText],
    },
    { what: 'an invalid text before its handshake', early: [invalidText, version, clientInit] },
    {
      what: 'ClientInit, an invalid text and its close',
      early: [version],
      later: [Buffer.concat([clientInit, invalidText, close])],
    },
    {
      what: 'everything at once, and more',
      early: [Buffer.concat([version, clientInit, invalidText, clientInit, invalidText])],
    },
  ])(
    '$what, followed by an order',
    async ({ early = [], later = [] }) => {
      await start();
      const late = await openOne();
      late.socket.write(version);
      late.socket.write(clientInit);
      await eventually('it is open', () => late.received().includes('"opened"'));
      for (let round = 0; round < rounds(8); round++) {
        const wires = await Promise.all(Array.from({ length: 4 }, () => openOne()));
        for (const packets of [early, later]) {
          if (packets === later && later.length > 0) await dialled(1 + wires.length);
          for (const packet of packets) {
            for (const wire of wires) wire.socket.write(packet);
            if (round % 2) await new Promise((resolve) => setImmediate(resolve));
          }
        }
        await Promise.all(wires.map(isClosed));
        await eventually('only one console is open', () => rig.proxmox.openConsoles() === 1);
        for (const wire of wires) wire.socket.destroy();
      }
      await issueOrder();
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
  const used = [
    leaseNames.user('student'),
    leaseNames.machine('lab', 100),
    leaseNames.allSessions,
    leaseNames.dial('lab', 100),
  ];
  const leasesLeft = async () => {
    const counts = await Promise.all(used.map((name) => rig.store.leases.count(name)));
    return counts.reduce((sum, count) => sum + count, 0);
  };

  /** How far a viewer is when it leaves. */
  const moments: Readonly<Record<string, (wire: RawWebSocket) => Promise<unknown> | undefined>> = {
    'right behind its upgrade': () => undefined,
    'when its console is open at Proxmox': ({ socket }) => {
      socket.write(version);
      return dialled(1);
    },
    'when its console is open': ({ socket, received }) => {
      socket.write(version);
      socket.write(clientInit);
      return eventually('it is open', () => received().includes('"opened"'));
    },
  };
  const leave: Readonly<Record<string, (wire: RawWebSocket) => unknown>> = {
    closes: ({ socket }) => socket.write(close),
    'sends ClientInit and closes': ({ socket }) => socket.write(Buffer.concat([clientInit, close])),
    'sends ClientInit and resets': ({ socket }) => socket.write(clientInit, () => socket.resetAndDestroy()),
    'sends ClientInit and ends its side': ({ socket }) => socket.end(clientInit),
    resets: ({ socket }) => socket.resetAndDestroy(),
    'breaks the protocol': ({ socket }) => socket.write(Buffer.from([0x82, 1, 3])),
  };
  test.each(
    Object.keys(moments).flatMap((moment) => Object.keys(leave).map((how) => [how, moment] as const)),
  )(
    'a viewer that %s %s leaves no timer, lease, record or console',
    async (how, moment) => {
      clock = createFakeClock(Date.now());
      await start({ clock });
      const before = clock.pending();
      for (let round = 0; round < rounds(4); round++) {
        const wire = await openOne({ sessionId: 'session-1' });
        await moments[moment]?.(wire);
        leave[how]?.(wire);
        await wire.closed;
        await eventually('all timers are cancelled', () => clock.pending() === before);
        await eventually('the console is closed', () => rig.proxmox.openConsoles() === 0);
        // A viewer that was lost may resume until then.
        clock.advance(lifetimes.resumeGrace);
        await eventually('no lease is left', async () => (await leasesLeft()) === 0);
        expect(await rig.store.records.get(storeKeys.session(digest('session-1')))).toBeUndefined();
      }
      await noneLeft();
    },
    roundsTimeout,
  );

  /** A store that answers some calls only when the test says so. */
  function slowStore(isSlow: (method: 'release' | 'tryAcquire', lease: string) => boolean) {
    const held: (() => void)[] = [];
    const store = createMemoryStore({ clock });
    const hold = (method: 'release' | 'tryAcquire', lease: string) =>
      isSlow(method, lease) ? new Promise<void>((resolve) => held.push(resolve)) : undefined;
    const leases: LeaseStore = {
      ...store.leases,
      async release(name, holder) {
        await hold('release', name);
        return store.leases.release(name, holder);
      },
      async tryAcquire(name, ...rest) {
        await hold('tryAcquire', name);
        return store.leases.tryAcquire(name, ...rest);
      },
    };
    const answer = () => {
      for (const go of held.splice(0)) go();
    };
    return { store: { ...store, leases }, held, answer };
  }

  test('a viewer that leaves while the store is slow, with its console just open at Proxmox, leaves no console', async () => {
    clock = createFakeClock(Date.now());
    const { store, held, answer } = slowStore(
      (method, lease) => method === 'release' && lease === leaseNames.dial('lab', 100),
    );
    await start({ clock, store });
    const before = clock.pending();
    const wire = await openOne();
    wire.socket.write(version);
    await eventually('the dial is over', () => held.length === 1);
    expect(rig.proxmox.openConsoles()).toBe(1);
    wire.socket.resetAndDestroy();
    await eventually('the relay noticed', async () => (await countConnections(rig)) === 0);
    answer();
    await eventually('the console is closed', () => rig.proxmox.openConsoles() === 0);
    await eventually('all timers are cancelled', () => clock.pending() === before);
    await eventually('no lease is left', async () => (await leasesLeft()) === 0);
  });

  test('a console that is ended while the store is slow to count it leaves no lease and no record', async () => {
    clock = createFakeClock(Date.now());
    const { store, held, answer } = slowStore(
      (method, lease) => method === 'tryAcquire' && lease === leaseNames.machine('lab', 100),
    );
    await start({ clock, store });
    const before = clock.pending();
    const wire = await openOne({ sessionId: 'session-1' });
    await eventually('it is being counted', () => held.length === 1);
    await issueOrder();
    await isClosed(wire);
    wire.socket.destroy();
    answer();
    await eventually('no lease is left', async () => (await leasesLeft()) === 0);
    await eventually('all timers are cancelled', () => clock.pending() === before);
    expect(await rig.store.records.get(storeKeys.session(digest('session-1')))).toBeUndefined();
  });

  test(
    'viewers that leave at any moment, cut anywhere, leave nothing',
    async () => {
      clock = createFakeClock(Date.now());
      await start({ clock });
      const before = clock.pending();
      const random = createSeededRandom(11);
      const script = Buffer.concat([
        version,
        clientInit,
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
