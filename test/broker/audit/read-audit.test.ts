import { constantSecret } from '@porthole/shared/config/secret';
import { createAuditTrail } from '@porthole/shared/audit/trail';
import { grantKeysOf } from '@porthole/shared/config/read';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { eventually } from '../../eventually.ts';
import { createFakeClock } from '../../fakes/clock.ts';
import type { Browser } from '../browser.ts';
import { aCluster, aUser, closeBrokers, grantKey, startBroker, usersFile, type Rig } from '../rig.ts';

afterEach(closeBrokers);

const keys = grantKeysOf(constantSecret(grantKey));

async function start(): Promise<{ rig: Rig; ada: Browser; clock: ReturnType<typeof createFakeClock> }> {
  const clock = createFakeClock(Date.UTC(2026, 0, 1, 12, 59));
  const rig = await startBroker({
    clock,
    proxmox: [{ name: 'school', fake: await aCluster() }],
    users: constantSecret(usersFile(aUser('anna'), aUser('ada'), aUser('ina'))),
    config: {
      access: [
        { who: { users: ['anna'] }, which: { tags: ['lab'] }, allow: ['control'] },
        { who: { users: ['ada'] }, which: { all: true }, allow: ['audit'] },
        { who: { users: ['ina'] }, which: { clusters: ['school'] }, allow: ['control', 'end', 'audit'] },
      ],
    },
  });
  return { rig, clock, ada: await rig.signedIn('ada') };
}

const names = async (ada: Browser, query = '') =>
  (await ada.get(`/api/v1/audit${query}`)).json.events.map(({ event }: { event: string }) => event);
const shows = (ada: Browser, query: string, expected: readonly string[]) =>
  eventually(
    `${query} shows ${expected.join()}`,
    async () => (await names(ada, query)).join() === expected.join(),
  );

describe('GET /api/v1/audit', () => {
  test('lists events newest first, and filters by user, machine and event', async () => {
    const { rig, ada } = await start();
    const anna = await rig.signedIn('anna');
    await anna.post('/api/v1/consoles/school/101/grants', { mode: 'control' });
    await anna.post('/api/v1/consoles/school/110/grants', { mode: 'control' });
    await rig.browser().signIn('anna', 'wrong');
    const all = ['sign_in_refused', 'grant_denied', 'grant', 'sign_in', 'sign_in'];
    await shows(ada, '', all);
    await shows(ada, '?limit=2', all.slice(0, 2));
    await shows(ada, '?user=local:anna', all.slice(0, 4));
    await shows(ada, '?user=local:ada', ['sign_in']);
    await shows(ada, '?machine=school/101', ['grant']);
    await shows(ada, '?event=sign_in_refused', ['sign_in_refused']);
    const { json, text } = await ada.get('/api/v1/audit?event=grant');
    expect(json.events).toEqual([
      expect.objectContaining({
        time: '2026-01-01T12:59:00.000Z',
        service: 'broker',
        user: { id: 'local:anna', name: 'anna' },
      }),
    ]);
    expect(text).not.toContain('correct horse');
  });

  test('lists events of relays and other brokers, of this hour and earlier hours', async () => {
    const { rig, ada, clock } = await start();
    const relay = createAuditTrail({ service: 'relay', store: rig.store, keys, random: systemRandom, clock });
    await shows(ada, '', ['sign_in']);
    clock.advance(3 * 3_600_000);
    relay.record({ event: 'rules_reloaded', rules: 1, classes: 0, digest: 'd' });
    await shows(ada, '', ['rules_reloaded', 'sign_in']);
    clock.advance(22 * 3_600_000);
    await shows(await rig.signedIn('ada'), '', ['sign_in', 'rules_reloaded']);
  });

  test.each(['ina', 'anna'])('is not allowed for %s', async (name) => {
    const { rig } = await start();
    const answer = await (await rig.signedIn(name)).get('/api/v1/audit');
    expect(answer).toMatchObject({ status: 403, json: { code: 'not_allowed' } });
  });

  test.each(['limit=501', 'event=nothing', 'machine=101', 'user=', 'since=today'])(
    '%s is a bad request',
    async (query) => {
      const { ada } = await start();
      expect(await ada.get(`/api/v1/audit?${query}`)).toMatchObject({
        status: 400,
        json: { code: 'bad_request' },
      });
    },
  );
});

test('the trail keeps two thousand events per hour, and the store contains no readable text', async () => {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock });
  const put: string[] = [];
  const records = {
    ...store.records,
    put: (key: string, value: string, ttlMs: number) => {
      put.push(key, value);
      return store.records.put(key, value, ttlMs);
    },
  };
  const trail = createAuditTrail({
    service: 'broker',
    store: { ...store, records },
    keys,
    random: systemRandom,
    clock,
  });
  const user = { id: 'local:anna', name: 'anna' };
  for (let i = 0; i < 2100; i++) {
    trail.record({ event: 'sign_in', user, method: 'local', login: `l${i}` });
    if (i % 100 === 0) await new Promise(setImmediate);
  }
  await eventually('they are written', () => put.length === 4000);
  expect(await trail.latest(5000)).toHaveLength(2000);
  expect(await trail.latest(10)).toHaveLength(10);
  // With colon and quotes, because four letters occur by chance in so many sealed bytes.
  expect(/local:anna|"anna"|sign_in/.test(put.join())).toBe(false);
});

test('a trail without a store loses entries, and throws nothing', async () => {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock });
  const leases = { ...store.leases, tryAcquire: () => Promise.reject(new Error('away')) };
  const trail = createAuditTrail({
    service: 'broker',
    store: { ...store, leases },
    keys,
    random: systemRandom,
    clock,
  });
  for (let i = 0; i < 1000; i++) trail.record({ event: 'rules_refused', issues: 1, digest: 'd' });
  await new Promise(setImmediate);
  expect(await trail.latest(10)).toEqual([]);
});
