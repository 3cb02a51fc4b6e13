import { createConsoleSignals } from '@porthole/shared/session/signals';
import { createTerminationOrders } from '@porthole/shared/session/termination-orders';
import { errorKinds } from '@porthole/shared/errors';
import { systemClock } from '@porthole/shared/time/clock';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createSessionRecords } from '@porthole/shared/session/records';
import { leaseNames } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';
import { eventually } from '../eventually.ts';
import { inTime, timed } from '../in-time.ts';
import type { ConsoleClient } from './console-client.ts';
import { createRelayRig, grantKey, type RelayRig, type RigOptions } from './rig.ts';

const keys = () => [grantKey];
let rigs: RelayRig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0).toReversed()) await rig.stop();
});

async function start(options: RigOptions = {}): Promise<RelayRig> {
  const rig = await createRelayRig(options);
  rigs = [...rigs, rig];
  return rig;
}
async function startTwo(): Promise<[RelayRig, RelayRig]> {
  const one = await start();
  return [one, await start({ beside: one })];
}

const tokens = (client: ConsoleClient) =>
  client.messages.flatMap((message) => (message.type === 'resume' ? [message.token] : []));

async function tokenOf(client: ConsoleClient): Promise<string> {
  await eventually('it has a token', () => tokens(client).length > 0);
  return tokens(client).at(-1) ?? '';
}

/** Open, with a picture, and with a token to come back with. */
async function open(rig: RelayRig, different: Parameters<RelayRig['open']>[0] = {}) {
  const client = await rig.open({ sessionId: 'session-1', ...different });
  await client.rfb();
  return { client, token: await tokenOf(client) };
}

const recordsOf = ({ records, leases }: Store) =>
  createSessionRecords({ records, leases, keys, random: systemRandom });

test('a console whose line broke goes on at another relay, as the same session, and is counted once', async () => {
  const [one, two] = await startTwo();
  const limits = { sessionSeconds: 3600, idleSeconds: 3600, perUser: 1, perMachine: 1 };
  const { client, token } = await open(one, { limits });
  const [before] = await recordsOf(one.store).list(leaseNames.allSessions);
  client.socket.terminate();
  const back = two.connect({ token });
  expect((await back.rfb()).name).toBe('QEMU (lab-100)');
  await eventually('the old connection is gone at Proxmox', () => one.proxmox.openConsoles() === 1);
  await eventually('the new one writes the record', async () => {
    const [after] = await recordsOf(two.store).list(leaseNames.user('student'));
    return after !== undefined && after.connection !== before?.connection;
  });
  const [after] = await recordsOf(two.store).list(leaseNames.machine('lab', 100));
  expect(after).toMatchObject({ sessionId: 'session-1', node: 'pve1' });
  // Since the first opening, which took a moment itself.
  expect((after?.since ?? 0) - (before?.since ?? 0)).toBeLessThan(1000);
  expect(after?.relay).not.toBe(before?.relay);
  expect(await one.store.leases.count(leaseNames.user('student'))).toBe(1);
  expect(await two.metrics()).toContain('porthole_relay_resumes_total 1');
  back.close();
});

test('a token opens one console, once, and nothing after the console was closed', async () => {
  const [one, two] = await startTwo();
  const { client, token } = await open(one);
  client.socket.terminate();
  const back = two.connect({ token });
  await back.rfb();
  expect((await one.connect({ token }).closed).code).toBe(4401);
  const newer = await tokenOf(back);
  back.close();
  await back.closed;
  await eventually('the token is worth nothing', async () => {
    const listed = await recordsOf(one.store).list(leaseNames.allSessions);
    return listed.length === 0;
  });
  expect((await one.connect({ token: newer }).closed).code).toBe(4401);
});

test('the newcomer wins: of two connections of a session, the older one is told so and ends', async () => {
  const [one, two] = await startTwo();
  const { client, token } = await open(one);
  const back = two.connect({ token });
  await back.rfb();
  expect(await client.closed).toEqual({ code: 4423, reason: errorKinds.taken_over.text });
  await eventually('one is left at Proxmox', () => one.proxmox.openConsoles() === 1);
  await eventually('the place is the newcomer’s', async () => {
    const [record] = await recordsOf(two.store).list(leaseNames.allSessions);
    return record !== undefined && (await one.store.leases.count(leaseNames.user('student'))) === 1;
  });
  expect(back.socket.readyState).toBe(back.socket.OPEN);
  back.close();
});

test('no token is ever in a log, and a plain viewer gets none', async () => {
  const rig = await start();
  const { client, token } = await open(rig);
  const plain = rig.connect({ token: await rig.mint(), protocols: ['binary'] });
  await plain.rfb();
  expect(plain.messages).toEqual([]);
  expect(rig.logged.join('')).not.toContain(token);
  plain.close();
  client.close();
});

test('a session that somebody ends leaves no record and no place behind', async () => {
  const rig = await start();
  const { client } = await open(rig);
  expect(await recordsOf(rig.store).find('session-1')).toMatchObject({
    user: { id: 'student' },
    machineName: 'lab-100',
    mode: 'control',
    kind: 'screen',
  });
  client.close();
  await eventually('nothing is left', async () => {
    const left = await Promise.all(
      [leaseNames.user('student'), leaseNames.machine('lab', 100), leaseNames.allSessions].map((name) =>
        rig.store.leases.count(name),
      ),
    );
    return !(await recordsOf(rig.store).find('session-1')) && left.every((count) => count === 0);
  });
});

describe('an order to end consoles', () => {
  /** As if every message got lost. */
  const deaf = { publish: async () => {} };
  const ordersOf = (store: Store, signals?: { publish: () => Promise<void> }) =>
    createTerminationOrders({
      records: store.records,
      signals:
        signals ??
        createConsoleSignals({ bus: store.signals, keys, random: systemRandom, clock: systemClock }),
      keys,
      random: systemRandom,
      clock: systemClock,
    });
  const targets = [
    { kind: 'session', ref: 'session-1' },
    { kind: 'user', ref: 'student' },
    { kind: 'machine', ref: 'lab/100' },
    { kind: 'login', ref: 'login-1' },
  ] as const;

  test.each(targets)('ends those of a $kind on any relay within a second', async (target) => {
    await inTime(1000, async () => {
      const [one, two] = await startTwo();
      const { client } = await open(one);
      return timed(async () => {
        await ordersOf(two.store).issue(target, 'ended_by_operator');
        expect((await client.closed).code).toBe(4423);
      });
    });
  });

  test.each(targets)('ends those of a $kind although its message got lost', async (target) => {
    await inTime(4000, async () => {
      const rig = await start();
      const { client, token } = await open(rig);
      const measured = await timed(async () => {
        await ordersOf(rig.store, deaf).issue(target, 'ended_by_operator');
        expect((await client.closed).code).toBe(4423);
      });
      expect((await rig.connect({ token }).closed).code).toBe(4401);
      return measured;
    });
  });

  test.each(targets)('for a $kind, keeps out who has a grant from before', async (target) => {
    const rig = await start();
    const grant = await rig.mint({ sessionId: 'session-1', issuedAt: Date.now() - 10 });
    await ordersOf(rig.store, deaf).issue(target, 'ended_by_operator');
    expect(await rig.connect({ token: grant }).closed).toEqual({
      code: 4423,
      reason: errorKinds.ended_by_operator.text,
    });
  });

  test('keeps out who lost the line and comes back with a token', async () => {
    const [one, two] = await startTwo();
    const { client, token } = await open(one);
    client.socket.terminate();
    await eventually('it is gone', () => one.proxmox.openConsoles() === 0);
    await ordersOf(one.store, deaf).issue({ kind: 'user', ref: 'student' }, 'ended_by_operator');
    expect((await two.connect({ token }).closed).code).toBe(4423);
  });

  test.each(['user', 'machine'] as const)('for a %s does not concern later grants', async (kind) => {
    const rig = await start();
    const ref = kind === 'user' ? 'student' : 'lab/100';
    await ordersOf(rig.store).issue({ kind, ref }, 'ended_by_operator');
    const { client } = await open(rig, { issuedAt: Date.now() + 1 });
    client.close();
  });

  test('for a sign-in holds for good: a grant that was just being made opens nothing', async () => {
    const rig = await start();
    await ordersOf(rig.store).issue({ kind: 'login', ref: 'login-1' }, 'signed_out');
    const late = await rig.open({ issuedAt: Date.now() + 1000 });
    expect(await late.closed).toEqual({ code: 4423, reason: errorKinds.signed_out.text });
  });
});

describe('a relay that leaves', () => {
  /** The part that a process stops first. */
  const leave = async ({ relay }: RelayRig) => relay.components.at(-1)?.stop?.();

  test('says so, sends its viewers to another one, and is gone in time', async () => {
    const [one, two] = await startTwo();
    const clients = await Promise.all(
      Array.from({ length: 4 }, (_, i) => open(one, { sessionId: `session-${i}` })),
    );
    const stopping = leave(one);
    expect(await one.relay.readiness()).toEqual(['draining']);
    await Promise.all(
      clients.map(async ({ client }) => {
        expect(await client.closed).toEqual({ code: 1012, reason: errorKinds.draining.text });
        expect(client.messages.some(({ type }) => type === 'moving')).toBe(true);
        const back = two.connect({ token: tokens(client).at(-1) ?? '' });
        await back.rfb();
      }),
    );
    await stopping;
    const sessions = await recordsOf(two.store).list(leaseNames.allSessions);
    expect(sessions.map(({ sessionId }) => sessionId).toSorted()).toEqual(
      clients.map((_, i) => `session-${i}`),
    );
    expect(new Set(sessions.map(({ relay }) => relay)).size).toBe(1);
  });

  test('sends away who is still opening, too', async () => {
    const rig = await start();
    rig.proxmox.stallConsole(100);
    const client = await rig.open();
    await eventually('it dials', () => client.messages.some(({ type }) => type === 'opening'));
    const stopping = leave(rig);
    expect((await client.closed).code).toBe(1012);
    await stopping;
  });
});

describe('what a viewer says in text', () => {
  test.each([
    ['something unknown', '{"type":"reboot"}', 1002],
    ['more than it may', '{"type":"extend","by":3600}', 1002],
    ['no JSON', 'extend', 1002],
    ['a novel', `{"type":"extend"}${' '.repeat(300)}`, 1009],
  ])('%s ends the console', async (_what, text, code) => {
    const rig = await start();
    const { client } = await open(rig);
    client.socket.send(text);
    expect((await client.closed).code).toBe(code);
  });

  test('"extend" is taken, twenty times in ten seconds and no more', async () => {
    const rig = await start();
    const { client } = await open(rig);
    for (let i = 0; i < 20; i++) client.socket.send('{"type":"extend"}');
    const rtt = new Promise((resolve) => client.socket.once('pong', resolve));
    client.socket.ping();
    await rtt;
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    client.socket.send('{"type":"extend"}');
    expect((await client.closed).code).toBe(1002);
  });

  test('of a plain viewer is a breach of the protocol', async () => {
    const rig = await start();
    const plain = rig.connect({ token: await rig.mint(), protocols: ['binary'] });
    await plain.rfb();
    plain.socket.send('{"type":"extend"}');
    expect((await plain.closed).code).toBe(1002);
  });

  test('hurts nobody when it comes from somebody who is turned away', async () => {
    const rig = await start({ limits: { consolesPerRelay: 1 } });
    const { client } = await open(rig);
    const second = rig.connect({ token: await rig.mint() });
    second.socket.on('open', () => second.socket.send('{"type":"extend"}'));
    expect((await second.closed).code).toBe(4429);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    client.close();
  });
});
