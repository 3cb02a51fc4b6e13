import { constantSecret } from '@porthole/shared/config/secret';
import type { ConsoleSignal } from '@porthole/shared/session/signals';
import type { Store } from '@porthole/shared/store/ports';
import { createRedisStore } from '@porthole/shared/store/redis/store';
import { createLog } from '@porthole/shared/telemetry/log';
import { startRedisServer } from '../../fakes/redis-server.ts';
import { describeWith } from '../../needs.ts';
import { createRelayRig, grantKey as relayKey, relayToken } from '../../relay/rig.ts';
import { brokerToken, closeBrokers, startBroker, type Rig } from '../rig.ts';
import { aSchool, config, keys, live, users } from './fixtures.ts';

afterEach(closeBrokers);

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
