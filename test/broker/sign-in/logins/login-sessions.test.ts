import { grantKeysOf } from '@porthole/shared/config/read';
import { constantSecret } from '@porthole/shared/config/secret';
import { createConsoleSignals, type ConsoleSignal } from '@porthole/shared/session/signals';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { RecordStore } from '@porthole/shared/store/ports';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createLoginSessions, loginRef, tokenDigestOf } from '@porthole/broker/sign-in/logins/login-sessions';
import { createFakeClock } from '../../../fakes/clock.ts';
import { closeBrokers, grantKey, startBroker, type Rig } from '../../rig.ts';

afterEach(closeBrokers);

const [idleMs, lifeMs] = [8 * 3_600_000, 24 * 3_600_000];
const basis = { method: 'local', data: { userName: 'anna' } };
const keys = grantKeysOf(constantSecret(grantKey));

/** The termination signals that relays receive. */
function endSignals(rig: Rig): ConsoleSignal[] {
  const heard: ConsoleSignal[] = [];
  createConsoleSignals({ bus: rig.store.signals, keys, random: systemRandom, clock: rig.clock }).subscribe(
    (signal) => heard.push(signal),
  );
  return heard;
}

const secretOf = (cookie: string | undefined) => cookie?.split('=')[1] ?? '';

test('over HTTPS the cookie is bound to the host and to TLS, and hidden from scripts', async () => {
  const rig = await startBroker({ config: { publicUrl: 'https://porthole.school.example' } });
  const answer = await rig.browser().signIn('anna');
  expect(answer.headers['set-cookie']).toEqual([
    expect.stringMatching(/^__Host-porthole=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/),
  ]);
});

test('on localhost the cookie has no prefix, because browsers reject it over HTTP', async () => {
  const rig = await startBroker({ config: { publicUrl: 'http://localhost:8080' } });
  const answer = await rig.browser().signIn('anna');
  expect(answer.headers['set-cookie']).toEqual([
    expect.stringMatching(/^porthole=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax$/),
  ]);
});

test('a sign-in ends after the idle time without a request', async () => {
  const clock = createFakeClock();
  const rig = await startBroker({ clock });
  const anna = await rig.signedIn('anna');
  clock.advance(idleMs - 1);
  expect((await anna.get('/api/v1/me')).status).toBe(200);
  clock.advance(idleMs);
  expect((await anna.get('/api/v1/me')).status).toBe(401);
});

test('a sign-in in use ends after the maximum time', async () => {
  const clock = createFakeClock();
  const rig = await startBroker({ clock });
  const anna = await rig.signedIn('anna');
  for (let at = 3_600_000; at < lifeMs; at += 3_600_000) {
    clock.advance(3_600_000);
    expect((await anna.get('/api/v1/me')).status).toBe(200);
  }
  clock.advance(3_600_000);
  expect((await anna.get('/api/v1/me')).status).toBe(401);
});

test('signing in again creates a new secret and ends the previous sign-in', async () => {
  const rig = await startBroker();
  const anna = await rig.signedIn('anna');
  const before = anna.cookie ?? '';
  await anna.signIn('anna');
  expect(anna.cookie).not.toBe(before);
  expect((await rig.ask('/api/v1/me', { headers: { cookie: before } })).status).toBe(401);
  expect((await anna.get('/api/v1/me')).status).toBe(200);
});

test('a planted cookie never becomes a sign-in', async () => {
  const rig = await startBroker();
  const anna = rig.browser();
  const planted = `porthole=${'A'.repeat(43)}`;
  anna.cookie = planted;
  await anna.signIn('anna');
  expect(anna.cookie).not.toBe(planted);
  expect((await rig.ask('/api/v1/me', { headers: { cookie: planted } })).status).toBe(401);
});

test('two cookies of the same name count as none', async () => {
  const rig = await startBroker();
  const anna = await rig.signedIn('anna');
  const cookie = `porthole=${'A'.repeat(43)}; ${anna.cookie}`;
  expect((await rig.ask('/api/v1/me', { headers: { cookie } })).status).toBe(401);
});

test('signing out ends the sign-in, clears the cookie, and orders the termination of its consoles', async () => {
  const rig = await startBroker();
  const anna = await rig.signedIn('anna');
  const heard = endSignals(rig);
  const cookie = anna.cookie ?? '';
  const answer = await anna.post('/api/v1/logout');
  expect(answer.status).toBe(204);
  expect(answer.headers['set-cookie']).toEqual([expect.stringMatching(/^porthole=; .*Max-Age=0$/)]);
  expect((await rig.ask('/api/v1/me', { headers: { cookie } })).status).toBe(401);
  expect(heard).toEqual([
    {
      type: 'terminate',
      target: { kind: 'login', ref: loginRef(secretOf(cookie)) },
      cause: 'signed_out',
      at: expect.any(Number),
    },
  ]);
});

test('signing out without a sign-in succeeds and orders no termination', async () => {
  const rig = await startBroker();
  const heard = endSignals(rig);
  expect((await rig.browser().post('/api/v1/logout')).status).toBe(204);
  const stranger = rig.browser();
  stranger.cookie = `porthole=${'A'.repeat(43)}`;
  expect((await stranger.post('/api/v1/logout')).status).toBe(204);
  expect(heard).toEqual([]);
});

test('signing in as another user ends the consoles of the previous one', async () => {
  const rig = await startBroker();
  const shared = await rig.signedIn('anna');
  const heard = endSignals(rig);
  await shared.signIn('ben');
  expect(heard).toHaveLength(1);
  expect((await shared.get('/api/v1/me')).json.user.name).toBe('ben');
});

test('a request that runs during a sign-out does not restore the sign-in', async () => {
  const clock = createFakeClock();
  const { records } = createMemoryStore({ clock });
  const held = Promise.withResolvers<void>();
  const slow: RecordStore = {
    ...records,
    async put(key, value, ttlMs) {
      if (clock.now() > start && key.startsWith('porthole:login-seen:')) await held.promise;
      return records.put(key, value, ttlMs);
    },
  };
  const start = clock.now();
  const sessions = createLoginSessions({ records: slow, keys, random: systemRandom, clock, idleMs, lifeMs });
  const secret = await sessions.create(basis);
  clock.advance(120_000);
  const underWay = sessions.find(secret);
  await new Promise((resolve) => setImmediate(resolve));
  await sessions.end(tokenDigestOf(secret));
  held.resolve();
  await underWay;
  expect(await sessions.find(secret)).toBeUndefined();
});

test('the time of the last use is written at most once a minute', async () => {
  const clock = createFakeClock();
  const { records } = createMemoryStore({ clock });
  let puts = 0;
  const counting: RecordStore = { ...records, put: (...args) => (puts++, records.put(...args)) };
  const sessions = createLoginSessions({
    records: counting,
    keys,
    random: systemRandom,
    clock,
    idleMs,
    lifeMs,
  });
  const secret = await sessions.create(basis);
  puts = 0;
  for (let i = 0; i < 100; i++) {
    clock.advance(1000);
    expect(await sessions.find(secret)).toBeDefined();
  }
  expect(puts).toBe(1);
});

test('read access to the store reveals no secret, and write access creates no sign-in', async () => {
  const clock = createFakeClock();
  const { records } = createMemoryStore({ clock });
  const written = new Map<string, string>();
  const watched: RecordStore = {
    ...records,
    put: (key, value, ttlMs) => (written.set(key, value), records.put(key, value, ttlMs)),
  };
  const sessions = createLoginSessions({
    records: watched,
    keys,
    random: systemRandom,
    clock,
    idleMs,
    lifeMs,
  });
  const anna = await sessions.create(basis);
  const [annaSeen, annaLogin] = [...written.values()];
  expect([...written.keys(), ...written.values()].join(' ')).not.toMatch(new RegExp(`${anna}|anna`));
  written.clear();
  const ben = await sessions.create(basis);
  const [benSeen, benLogin] = [...written.keys()];
  await records.put(benSeen ?? '', annaSeen ?? '', 1000);
  await records.put(benLogin ?? '', annaLogin ?? '', 1000);
  expect(await sessions.find(ben)).toBeUndefined();
});

test('while the store is unavailable a request fails without signing the user out', async () => {
  const rig = await startBroker();
  const anna = await rig.signedIn('anna');
  await rig.store.stop();
  const answer = await anna.get('/api/v1/me');
  expect(answer.status).toBe(503);
  expect(answer.json.code).toBe('store_unavailable');
  expect(answer.headers['set-cookie']).toBeUndefined();
});
