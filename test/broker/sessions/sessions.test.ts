import { grantKeysOf } from '@porthole/shared/config/read';
import { constantSecret } from '@porthole/shared/config/secret';
import { createConsoleSignals, type ConsoleSignal } from '@porthole/shared/session/signals';
import { createRedisStore } from '@porthole/shared/store/redis/store';
import { createLog } from '@porthole/shared/telemetry/log';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createSessionRecords, type SessionRecord } from '@porthole/shared/session/records';
import { leaseNames } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';
import { startRedisServer } from '../../fakes/redis-server.ts';
import { describeWith } from '../../needs.ts';
import { createRelayRig, grantKey as relayKey, relayToken } from '../../relay/rig.ts';
import {
  aCluster,
  aUser,
  brokerToken,
  closeBrokers,
  grantKey,
  startBroker,
  usersFile,
  type Rig,
  type RigOptions,
} from '../rig.ts';

afterEach(closeBrokers);

const users = constantSecret(
  usersFile(aUser('anna', 'class-a'), aUser('ben', 'class-a'), aUser('ina'), aUser('ada'), aUser('eve')),
);
const config: RigOptions['config'] = {
  access: [
    { who: { users: ['ada'] }, which: { all: true }, allow: ['watch', 'end'] },
    { who: { users: ['eve'] }, which: { all: true }, allow: ['control'] },
  ],
  classes: [
    {
      name: 'networks',
      title: 'Networks',
      members: { groups: ['class-a'] },
      instructors: { users: ['ina'] },
      machines: { tags: ['lab'] },
      own: ['lab-{user}'],
    },
  ],
};
const keys = grantKeysOf(constantSecret(grantKey));

const recordsOf = (store: Store) =>
  createSessionRecords({ records: store.records, leases: store.leases, keys, random: systemRandom });

/** Stores the record of an open console. */
async function live(store: Store, over: Partial<SessionRecord> & { sessionId: string }): Promise<void> {
  const record: SessionRecord = {
    version: 1,
    connection: 'c1',
    relay: 'relay-1',
    loginRef: 'l1',
    user: { id: 'local:anna', name: 'anna' },
    cluster: 'school',
    node: 'pve1',
    type: 'qemu',
    vmid: 101,
    machineName: 'lab-anna',
    mode: 'control',
    kind: 'screen',
    since: Date.UTC(2026, 0, 1),
    bytes: { toViewer: 1000, toMachine: 10 },
    ...over,
  };
  await recordsOf(store).claim(record);
  await store.leases.join(leaseNames.allSessions, record.sessionId, Number.MAX_SAFE_INTEGER, 90_000);
}

const ben = { user: { id: 'local:ben', name: 'ben' }, vmid: 102, machineName: 'lab-ben', node: 'pve2' };
const teacher = {
  user: { id: 'local:eve', name: 'eve' },
  vmid: 200,
  machineName: 'teacher',
  type: 'lxc' as const,
};

async function aSchool(options: RigOptions = {}) {
  const clock = createFakeClock();
  const fake = await aCluster();
  const rig = await startBroker({
    clock,
    proxmox: [{ name: 'school', fake }],
    users,
    ...options,
    config: { ...config, ...options.config },
  });
  await live(rig.store, { sessionId: 'anna-1' });
  await live(rig.store, { sessionId: 'ben-1', ...ben, since: Date.UTC(2026, 0, 1, 0, 1) });
  await live(rig.store, { sessionId: 'eve-1', ...teacher, since: Date.UTC(2026, 0, 1, 0, 2) });
  const orders: ConsoleSignal[] = [];
  createConsoleSignals({ bus: rig.store.signals, keys, random: systemRandom, clock }).subscribe((signal) =>
    orders.push(signal),
  );
  return { rig, clock, fake, orders };
}

async function idsFor(rig: Rig, clock: FakeClock, name: string, query = '?scope=all'): Promise<string[]> {
  clock.advance(1000);
  const answer = await (await rig.signedIn(name)).get(`/api/v1/sessions${query}`);
  return answer.json.sessions.map(({ id }: { id: string }) => id);
}

describe('GET /api/v1/sessions', () => {
  test('lists own sessions for users, those of the class for instructors, and all for operators', async () => {
    const { rig, clock } = await aSchool();
    expect(await idsFor(rig, clock, 'anna', '')).toEqual(['anna-1']);
    expect(await idsFor(rig, clock, 'anna')).toEqual(['anna-1']);
    expect(await idsFor(rig, clock, 'ina')).toEqual(['anna-1', 'ben-1']);
    expect(await idsFor(rig, clock, 'ina', '?scope=class&class=networks')).toEqual(['anna-1', 'ben-1']);
    expect(await idsFor(rig, clock, 'ada')).toEqual(['anna-1', 'ben-1', 'eve-1']);
    expect(await idsFor(rig, clock, 'ada', '?scope=mine')).toEqual([]);
    // Has control of every machine, and neither watch nor end.
    expect(await idsFor(rig, clock, 'eve')).toEqual(['eve-1']);
  });

  test('shows user, machine, relay, start, traffic, observers and permitted actions', async () => {
    const { rig } = await aSchool();
    await live(rig.store, {
      sessionId: 'ina-1',
      user: { id: 'local:ina', name: 'ina', displayName: 'Ina I.' },
      mode: 'view',
      observer: true,
    });
    const answer = await (await rig.signedIn('ina')).get('/api/v1/sessions?scope=all');
    expect(answer.json.classes).toEqual([{ name: 'networks', title: 'Networks' }]);
    expect(answer.json.sessions).toContainEqual({
      id: 'anna-1',
      user: { id: 'local:anna', name: 'anna' },
      machine: { cluster: 'school', vmid: 101, name: 'lab-anna', type: 'qemu', node: 'pve1' },
      mode: 'control',
      kind: 'screen',
      relay: 'relay-1',
      since: '2026-01-01T00:00:00.000Z',
      bytes: { toViewer: 1000, toMachine: 10 },
      observers: ['Ina I.'],
      mine: false,
      may: ['end', 'watch', 'control'],
    });
  });

  test('responds 304 if unchanged, and reads the store once for all users', async () => {
    const { rig, clock } = await aSchool();
    const ada = await rig.signedIn('ada');
    const first = await ada.get('/api/v1/sessions?scope=all');
    const again = await ada.get('/api/v1/sessions?scope=all', { 'if-none-match': first.headers.etag ?? '' });
    expect([again.status, again.text]).toEqual([304, '']);
    await live(rig.store, { sessionId: 'ben-2', ...ben });
    // Relays update records less often than this.
    expect((await ada.get('/api/v1/sessions?scope=all')).json.sessions).toHaveLength(3);
    clock.advance(1000);
    const third = await ada.get('/api/v1/sessions?scope=all', { 'if-none-match': first.headers.etag ?? '' });
    expect([third.status, third.json.sessions.length]).toEqual([200, 4]);
  });

  test('works while Proxmox is unavailable, for rules without pools and tags', async () => {
    const { rig, clock, fake } = await aSchool();
    fake.failRequests(/resources/, { status: 500, message: 'no' });
    expect(await idsFor(rig, clock, 'ada')).toEqual(['anna-1', 'ben-1', 'eve-1']);
    expect(await idsFor(rig, clock, 'ina')).toEqual([]);
  });

  test.each([
    ['of an unknown scope', '?scope=others', 400],
    ['of no class', '?scope=class', 400],
    ['of a class with another scope', '?scope=all&class=networks', 400],
    ['of a class of another instructor', '?scope=class&class=networks', 404],
  ])('refuses a question %s', async (_what, query, status) => {
    const { rig } = await aSchool();
    expect((await (await rig.signedIn('ada')).get(`/api/v1/sessions${query}`)).status).toBe(status);
  });

  test('requires a sign-in', async () => {
    const { rig } = await aSchool();
    expect((await rig.browser().get('/api/v1/sessions')).status).toBe(401);
    expect((await rig.browser().delete('/api/v1/sessions/anna-1')).status).toBe(401);
  });
});

test('/me shows whether the user may watch or end sessions', async () => {
  const { rig } = await aSchool();
  for (const [name, oversees] of [
    ['ina', true],
    ['ada', true],
    ['anna', false],
    ['eve', false],
  ] as const)
    expect((await (await rig.signedIn(name)).get('/api/v1/me')).json.oversees).toBe(oversees);
});

describe('DELETE /api/v1/sessions', () => {
  const end = async (rig: Rig, name: string, what: string) =>
    (await rig.signedIn(name)).delete(`/api/v1/sessions${what}`);
  const ordered = (orders: readonly ConsoleSignal[]) =>
    orders
      .flatMap((signal) => (signal.type === 'terminate' ? [signal] : []))
      .filter(({ target }) => target.kind !== 'login')
      .map(({ target, cause, by }) => `${target.kind} ${target.ref} ${cause} by ${by}`)
      .toSorted();

  test('ends one session, and writes an audit event', async () => {
    const { rig, orders } = await aSchool();
    expect((await end(rig, 'ina', '/ben-1')).status).toBe(204);
    expect(ordered(orders)).toEqual(['session ben-1 ended_by_operator by ina']);
    expect(rig.audited).toContainEqual(
      expect.objectContaining({
        event: 'termination_ordered',
        by: { id: 'local:ina', name: 'ina' },
        target: { kind: 'session', ref: 'ben-1' },
        consoles: 1,
      }),
    );
  });

  test('hides the operator name without showOperatorName', async () => {
    const { rig, orders } = await aSchool({ config: { showOperatorName: false } });
    await end(rig, 'ina', '/ben-1');
    expect(ordered(orders)).toEqual(['session ben-1 ended_by_operator by undefined']);
  });

  test('ends an own session of any user', async () => {
    const { rig, orders } = await aSchool();
    expect((await end(rig, 'anna', '/anna-1')).status).toBe(204);
    expect(ordered(orders)).toHaveLength(1);
  });

  test.each([
    ['the session of another user', 'anna', '/ben-1', 404],
    ['one outside of the class', 'ina', '/eve-1', 404],
    ['one that is not there', 'ada', '/nothing', 404],
    ['a class of another instructor', 'ada', '?class=networks', 404],
    ['those of a machine that they may only open', 'eve', '?cluster=school&vmid=101', 403],
    ['those of a machine that they know nothing of', 'ina', '?cluster=school&vmid=200', 404],
    ['everything at once', 'ada', '', 400],
    ['two things at once', 'ada', '?user=local:anna&class=networks', 400],
  ])('refuses to end %s', async (_what, name, what, status) => {
    const { rig, orders } = await aSchool();
    expect((await end(rig, name, what)).status).toBe(status);
    expect(ordered(orders)).toEqual([]);
  });

  test('ends all permitted sessions of a user, of a class except own ones, and of a machine', async () => {
    const { rig, orders } = await aSchool();
    await live(rig.store, { sessionId: 'anna-2', vmid: 200, machineName: 'teacher' });
    await live(rig.store, { sessionId: 'ina-1', user: { id: 'local:ina', name: 'ina' }, observer: true });
    expect((await end(rig, 'ina', '?user=local:anna')).json).toEqual({ ended: 1 });
    expect((await end(rig, 'ada', '?user=local:anna')).json).toEqual({ ended: 2 });
    expect((await end(rig, 'ina', '?class=networks')).json).toEqual({ ended: 2 });
    expect((await end(rig, 'ada', '?cluster=school&vmid=102')).json).toEqual({ ended: 1 });
    expect(ordered(orders)).toEqual(
      [
        'session anna-1 ended_by_operator by ina',
        'session anna-1 ended_by_operator by ada',
        'session anna-2 ended_by_operator by ada',
        'session anna-1 ended_by_operator by ina',
        'session ben-1 ended_by_operator by ina',
        'machine school/102 ended_by_operator by ada',
      ].toSorted(),
    );
  });

  test('is refused for cross-site requests, and above the rate limit', async () => {
    const { rig } = await aSchool();
    const ada = await rig.signedIn('ada');
    expect((await ada.delete('/api/v1/sessions/ben-1', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    const answers = await Promise.all(
      Array.from({ length: 121 }, () => ada.delete('/api/v1/sessions/nothing')),
    );
    expect(answers.map(({ status }) => status)).toContain(429);
  });
});

describeWith('redis')('a termination order, at a relay in another process', () => {
  test('closes the console with the operator name, and invalidates earlier grants', async () => {
    const redis = await startRedisServer();
    const log = createLog({ service: 'test', level: 'silent' });
    const stores = [0, 1].map(() =>
      createRedisStore({ redis: { mode: 'standalone', url: redis.url }, keys, log }),
    ) as [Store, Store];
    await stores[1].start(); // the relay starts its own
    const relay = await createRelayRig({
      store: stores[0],
      proxmox: {
        users: [
          { userid: 'porthole@pve', password: 'x', acl: { '/': ['VM.Console', 'VM.Audit', 'Sys.Audit'] } },
        ],
        tokens: [
          { tokenid: relayToken.id, secret: relayToken.secret, privsep: false },
          { ...brokerToken, privsep: false },
        ],
      },
    });
    try {
      const rig = await startBroker({
        store: stores[1],
        proxmox: [{ name: 'lab', fake: relay.proxmox }],
        users,
        config: { ...config, grantKeys: constantSecret(relayKey) },
      });
      const client = await relay.open({ sessionId: 'the-session' });
      await client.rfb();
      const late = await relay.mint();
      const ada = await rig.signedIn('ada');
      const { json } = await ada.get('/api/v1/sessions?scope=all');
      expect(json.sessions).toMatchObject([
        { id: 'the-session', user: { id: 'student' }, machine: { vmid: 100 } },
      ]);
      expect((await ada.delete('/api/v1/sessions?cluster=lab&vmid=100')).json).toEqual({ ended: 1 });
      expect(await client.closed).toMatchObject({ code: 4423, reason: 'Ended by ada.' });
      expect(await relay.connect({ token: late }).closed).toMatchObject({ code: 4423 });
    } finally {
      await relay.stop();
      await Promise.all(stores.map((store) => store.stop()));
      await redis.stop();
    }
  });
});
