import { once } from 'node:events';
import { errorKinds, PortholeError } from '@porthole/shared/errors';
import { systemRandom } from '@porthole/shared/crypto/random';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { createTerminationOrders } from '@porthole/shared/session/termination-orders';
import { leaseNames } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';
import { createParking, Parking } from '@porthole/relay/session/parking';
import { eventually } from '../../eventually.ts';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';
import type { ConsoleClient } from '../console-client.ts';
import { aGrant, useRelayRigs, type RelayRig } from '../rig.ts';
import { keys, latestResumeToken, openWithToken, resumeTokens, sessionRecordsIn } from './resume-rig.ts';

const start = useRelayRigs();
const parkSeconds = 60;

/** Relays of one installation whose time passes at the test's command. */
async function createWorld() {
  const clock = createFakeClock(Date.now());
  const one = await start({ clock });
  const two = await start({ clock, sharedWith: one });
  const open = (limits: Partial<GrantClaims['limits']> = {}, more: Partial<GrantClaims> = {}) =>
    openWithToken(one, { limits: { ...aGrant(clock).limits, parkSeconds, ...limits }, ...more });
  return { clock, one, two, open };
}

const say = (client: ConsoleClient, hidden: boolean) =>
  client.socket.send(JSON.stringify({ type: 'visibility', hidden }));
const heard = (client: ConsoleClient, wanted: string) => client.messages.some(({ type }) => type === wanted);

/** Time passes, and the viewer answers the relay's pings. What it sent before has arrived then. */
async function pass(clock: FakeClock, client: ConsoleClient, seconds: number): Promise<void> {
  await answered(client);
  for (let left = seconds; left > 0; left -= 10) {
    clock.advance(Math.min(10, left) * 1000);
    await answered(client);
    await answered(client);
  }
}

async function answered(client: ConsoleClient): Promise<void> {
  if (client.socket.readyState !== client.socket.OPEN) return;
  const pong = once(client.socket, 'pong');
  client.socket.ping();
  await Promise.race([pong, client.closed]);
}

async function openParked(
  world: Awaited<ReturnType<typeof createWorld>>,
  ...options: Parameters<typeof world.open>
) {
  const { client } = await world.open(...options);
  say(client, true);
  await pass(world.clock, client, parkSeconds);
  await eventually('the page is told', () => heard(client, 'parked'));
  return client;
}

const record = async ({ store }: RelayRig) => sessionRecordsIn(store).find('session-1');
const count = ({ store }: RelayRig, name: string) => store.leases.count(name);
const auditOf = ({ audited }: RelayRig) => audited.map(({ event }) => event);
const ordersIn = (store: Store, clock: FakeClock) => {
  const deps = { keys, random: systemRandom, clock };
  const signals = createConsoleSignals({ bus: store.signals, ...deps });
  return createTerminationOrders({ records: store.records, signals, ...deps });
};

async function expectNothingOpen({ one }: { one: RelayRig }): Promise<void> {
  await eventually('no console is open', () => one.proxmox.openConsoles() === 0);
  await eventually('the record is gone', async () => (await record(one)) === undefined);
  expect(one.proxmox.violations).toEqual([]);
}

test('“130 MiB for each forgotten tab”: a page that stays hidden releases its console at Proxmox, and the session stays', async () => {
  const world = await createWorld();
  const { clock, one } = world;
  const { client } = await world.open();
  expect(client.messages).toContainEqual({ type: 'opened', mode: 'control', parking: true });
  say(client, true);
  await pass(clock, client, parkSeconds - 1);
  expect(one.proxmox.openConsoles()).toBe(1);
  expect(heard(client, 'parked')).toBe(false);
  await pass(clock, client, 1);
  await eventually('the console is closed', () => one.proxmox.openConsoles() === 0);
  await eventually('the page is told', () => heard(client, 'parked'));
  const tokens = resumeTokens(client).length;
  await pass(clock, client, 120);
  expect(client.socket.readyState).toBe(client.socket.OPEN);
  expect(resumeTokens(client).length).toBeGreaterThanOrEqual(tokens + 2);
  expect(await record(one)).toMatchObject({ parked: true, mode: 'control' });
  for (const name of [leaseNames.user('student'), leaseNames.machine('lab', 100), leaseNames.allSessions])
    expect(await count(one, name)).toBe(1);
  expect(await one.metrics()).toMatch(
    /porthole_relay_parked_sessions 1\n[^]*porthole_relay_parkings_total 1\n/,
  );
  expect(auditOf(one)).toEqual(['console_opened', 'console_parked']);
  client.close();
  await expectNothingOpen(world);
  expect(await one.metrics()).toMatch(/porthole_relay_parked_sessions 0\n/);
  expect((await one.connect({ token: await latestResumeToken(client) }).closed).code).toBe(4401);
});

test('a page that is visible again resumes the same session at any relay', async () => {
  const world = await createWorld();
  const { clock, one, two } = world;
  const client = await openParked(world);
  const before = await record(one);
  // After an hour.
  await pass(clock, client, 1800);
  say(client, false);
  expect(await client.closed).toEqual({ code: 1012, reason: errorKinds.unparked.text });
  const resumed = two.connect({ token: await latestResumeToken(client) });
  expect((await resumed.rfb()).name).toBe('QEMU (lab-100)');
  await eventually(
    'the record is of the new connection',
    async () => (await record(two))?.parked === undefined,
  );
  expect(await record(two)).toMatchObject({ sessionId: 'session-1', since: before?.since });
  expect(await count(one, leaseNames.user('student'))).toBe(1);
  await eventually('the old connection is gone', () => auditOf(one).length === 3);
  expect(one.audited.at(-1)).toMatchObject({ event: 'console_ended', end: 'unparked' });
  expect(two.audited).toMatchObject([{ event: 'console_opened', session: 'session-1', resumed: true }]);
  expect(await one.metrics()).toMatch(
    /porthole_relay_parked_sessions 0\n[^]*porthole_relay_parking_returns_total 1\n/,
  );
  resumed.close();
  await expectNothingOpen(world);
});

test('a page that was visible meanwhile is not parked', async () => {
  const world = await createWorld();
  const { clock, one } = world;
  const { client } = await world.open();
  say(client, true);
  await pass(clock, client, parkSeconds - 1);
  say(client, false);
  await pass(clock, client, 10);
  say(client, true);
  // Repeating it changes nothing.
  await pass(clock, client, 30);
  say(client, true);
  await pass(clock, client, 29);
  expect(one.proxmox.openConsoles()).toBe(1);
  await pass(clock, client, 1);
  await eventually('the console is closed', () => one.proxmox.openConsoles() === 0);
  client.close();
  await expectNothingOpen(world);
});

test('a console that is never parked does not ask for the visibility, and stays open', async () => {
  const { clock, one } = await createWorld();
  const { client } = await openWithToken(one);
  expect(client.messages).toContainEqual({ type: 'opened', mode: 'control' });
  say(client, true);
  await pass(clock, client, 1200);
  expect(one.proxmox.openConsoles()).toBe(1);
  client.close();
  await eventually('no console is open', () => one.proxmox.openConsoles() === 0);
});

test('only the screen of a page with control messages is parked, and not a terminal', () => {
  const clock = createFakeClock();
  const limits = { ...aGrant(clock).limits, parkSeconds: 5 };
  const viewer = { supportsControlMessages: true };
  const common = { clock, viewer, mayPark: () => true };
  expect(createParking({ ...common, claims: { kind: 'screen', limits } })).toBeDefined();
  expect(createParking({ ...common, claims: { kind: 'terminal', limits } })).toBeUndefined();
  const plain = { supportsControlMessages: false };
  expect(createParking({ ...common, viewer: plain, claims: { kind: 'screen', limits } })).toBeUndefined();
  const never = { ...limits, parkSeconds: undefined };
  expect(createParking({ ...common, claims: { kind: 'screen', limits: never } })).toBeUndefined();
});

test('a session that can not do without its console is parked as soon as it can', () => {
  const clock = createFakeClock();
  let mayPark = false;
  let parked = 0;
  const parking = new Parking({ clock, delayMs: 60_000, mayPark: () => mayPark });
  parking.start(() => parked++);
  parking.setHidden(true);
  clock.advance(60_000);
  expect(parked).toBe(0);
  mayPark = true;
  clock.advance(59_999);
  expect(parked).toBe(0);
  clock.advance(1);
  expect(parked).toBe(1);
  clock.advance(3_600_000);
  expect(parked).toBe(1);
  expect(clock.pending()).toBe(0);
});

test('“the tab came back without its console”: while the store issues no resume tokens, no page is parked', async () => {
  const { clock, one } = await createWorld();
  let away = false;
  const put: Store['records']['put'] = async (...record) => {
    if (away) throw new PortholeError('store_unavailable');
    return one.store.records.put(...record);
  };
  const store = { ...one.store, records: { ...one.store.records, put } };
  const rig = await start({ clock, sharedWith: one, store });
  const { client, rfb } = await openWithToken(rig, { limits: { ...aGrant(clock).limits, parkSeconds } });
  const live = async (seconds: number) => {
    for (let passed = 0; passed < seconds; passed += 20) {
      await pass(clock, client, 20);
      rfb.requestUpdate(false);
      await rfb.nextUpdate();
    }
  };
  away = true;
  await live(80);
  say(client, true);
  await live(120);
  expect(heard(client, 'parked')).toBe(false);
  expect(one.proxmox.openConsoles()).toBe(1);
  away = false;
  const before = resumeTokens(client).length;
  await live(40);
  expect(resumeTokens(client).length).toBeGreaterThan(before);
  await pass(clock, client, parkSeconds);
  await eventually('the console is closed', () => one.proxmox.openConsoles() === 0);
  client.close();
  await expectNothingOpen({ one });
});

describe('a parked session', () => {
  test('ends with its time limit', async () => {
    const world = await createWorld();
    const client = await openParked(world, { sessionSeconds: 120 });
    await pass(world.clock, client, 60);
    expect((await client.closed).code).toBe(4410);
    await expectNothingOpen(world);
  });

  test('ends as idle', async () => {
    const world = await createWorld();
    const client = await openParked(world, { idleSeconds: 100 });
    await pass(world.clock, client, 40);
    expect((await client.closed).code).toBe(4408);
    await expectNothingOpen(world);
  });

  test.each(['ended_by_operator', 'signed_out'] as const)('ends by order: %s', async (cause) => {
    const world = await createWorld();
    const client = await openParked(world);
    const target =
      cause === 'signed_out'
        ? ({ kind: 'login', ref: 'login-1' } as const)
        : ({ kind: 'session', ref: 'session-1' } as const);
    await ordersIn(world.one.store, world.clock).issue(target, cause);
    expect(await client.closed).toEqual({ code: 4423, reason: errorKinds[cause].text });
    await expectNothingOpen(world);
    expect((await world.two.connect({ token: await latestResumeToken(client) }).closed).code).toBe(4401);
  });

  test('is told to move when its relay drains, and resumes at another one', async () => {
    const world = await createWorld();
    const { clock, one, two } = world;
    const client = await openParked(world);
    const drained = one.relay.components.at(-1)?.stop?.();
    clock.advance(200);
    expect((await client.closed).code).toBe(1012);
    await drained;
    expect(one.proxmox.openConsoles()).toBe(0);
    const resumed = two.connect({ token: await latestResumeToken(client) });
    await resumed.rfb();
    resumed.close();
    await expectNothingOpen(world);
  });

  test('whose connection breaks can be resumed', async () => {
    const world = await createWorld();
    const client = await openParked(world);
    client.socket.terminate();
    const resumed = world.two.connect({ token: await latestResumeToken(client) });
    await resumed.rfb();
    resumed.close();
    await expectNothingOpen(world);
  });

  test('whose page gives the connection up and resumes at once is counted once', async () => {
    const world = await createWorld();
    const client = await openParked(world);
    client.socket.close(4000);
    const resumed = world.two.connect({ token: await latestResumeToken(client) });
    await resumed.rfb();
    await client.closed;
    await eventually('the old connection is gone', () => auditOf(world.one).includes('console_ended'));
    expect(await count(world.one, leaseNames.user('student'))).toBe(1);
    resumed.close();
    await expectNothingOpen(world);
  });

  test('ends if another connection resumes it', async () => {
    const world = await createWorld();
    const client = await openParked(world);
    const resumed = world.two.connect({ token: await latestResumeToken(client) });
    await resumed.rfb();
    expect((await client.closed).code).toBe(4423);
    resumed.close();
    await expectNothingOpen(world);
  });

  test('whose machine was shut down is told so when its page is visible', async () => {
    const world = await createWorld();
    const client = await openParked(world);
    await world.one.guest.stop();
    say(client, false);
    expect((await client.closed).code).toBe(1012);
    const resumed = world.two.connect({ token: await latestResumeToken(client) });
    expect((await resumed.closed).code).toBe(4409);
    await expectNothingOpen(world);
  });

  test('discards what its viewer sends, up to a limit', async () => {
    const world = await createWorld();
    const client = await openParked(world);
    client.socket.send(Buffer.alloc(1024 * 1024));
    await answered(client);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    client.socket.send(Buffer.alloc(1024 * 1024));
    client.socket.send(Buffer.alloc(1));
    expect((await client.closed).code).toBe(1009);
    await expectNothingOpen(world);
  });
});

test('a session whose time was over while no page was connected ends when it resumes', async () => {
  const world = await createWorld();
  const now = world.clock.now();
  const resumes = { openedAt: now - 10_000, endsAt: now - 1000, generation: 1 };
  const client = await world.one.open({ sessionId: 'session-1', resumes });
  // It ends as soon as its handshake is over.
  client.rfb().catch(() => {});
  expect((await client.closed).code).toBe(4410);
  await expectNothingOpen(world);
});
