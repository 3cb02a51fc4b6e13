import { takeGrant } from '@porthole/shared/grant/grant';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { RecordStore } from '@porthole/shared/store/ports';
import { startResumeTokens } from '@porthole/relay/session/resume-tokens';
import { createFakeClock } from '../fakes/clock.ts';
import { aGrant } from './rig.ts';

const keys = () => ['k'.repeat(40)];
const round = 40_000;

function startTokens(change: (records: RecordStore) => RecordStore = (records) => records) {
  const clock = createFakeClock();
  const { records } = createMemoryStore({ clock });
  const given: string[] = [];
  const claims = aGrant(clock, { sessionId: 'session-1', issuedAt: clock.now() - 1000 });
  const tokens = startResumeTokens({
    records: change(records),
    keys,
    random: systemRandom,
    clock,
    claims: () => claims,
    give: (token) => void given.push(token),
  });
  const take = (token: string | undefined) => takeGrant({ records, keys, clock }, token ?? '');
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  const next = async () => {
    clock.advance(round);
    await settle();
  };
  return { clock, claims, given, tokens, take, settle, next };
}
const refused = { code: 'grant_invalid' };

test('the first one comes at once, and is for the same session', async () => {
  const { given, take, claims, settle, tokens, clock } = startTokens();
  expect(tokens.given()).toBe(false);
  await settle();
  expect(given).toHaveLength(1);
  expect(tokens.given()).toBe(true);
  expect(await take(given[0])).toEqual({ ...claims, expiresAt: clock.now() + 120_000 });
});

test('only the newest is good for anything', async () => {
  const { given, take, settle, next } = startTokens();
  await settle();
  await next();
  await next();
  expect(given).toHaveLength(3);
  await expect(take(given[0])).rejects.toMatchObject(refused);
  await expect(take(given[1])).rejects.toMatchObject(refused);
  await expect(take(given[2])).resolves.toMatchObject({ sessionId: 'session-1' });
});

test('after the last one, the way back is open for two minutes', async () => {
  const { given, take, settle, tokens, clock } = startTokens();
  await settle();
  await tokens.stop();
  expect(clock.pending()).toBe(0);
  clock.advance(120_000 - 1);
  const other = startTokens();
  await other.settle();
  await expect(take(given[0])).resolves.toMatchObject({ sessionId: 'session-1' });
  await other.tokens.stop();
  other.clock.advance(120_000);
  await expect(other.take(other.given[0])).rejects.toMatchObject(refused);
});

test('a console that is over leaves none behind', async () => {
  const { given, take, settle, tokens, clock } = startTokens();
  await settle();
  await tokens.revoke();
  await expect(take(given[0])).rejects.toMatchObject(refused);
  expect(clock.pending()).toBe(0);
});

test('one that is being made while the viewer is lost does not spoil the one that the viewer has', async () => {
  let hold: Promise<void> | undefined;
  let release = () => {};
  const subject = startTokens((records) => ({
    ...records,
    async put(key, value, ttlMs) {
      await hold;
      return records.put(key, value, ttlMs);
    },
  }));
  await subject.settle();
  hold = new Promise((resolve) => (release = resolve));
  await subject.next();
  const stopped = subject.tokens.stop();
  release();
  await stopped;
  expect(subject.given).toHaveLength(1);
  await expect(subject.take(subject.given[0])).resolves.toMatchObject({ sessionId: 'session-1' });
});

test('a store that is away for a round costs nothing', async () => {
  let away = false;
  const subject = startTokens((records) => ({
    ...records,
    put: (...args) => (away ? Promise.reject(new Error('away')) : records.put(...args)),
  }));
  await subject.settle();
  away = true;
  await subject.next();
  expect(subject.given).toHaveLength(1);
  away = false;
  await subject.next();
  expect(subject.given).toHaveLength(2);
  await expect(subject.take(subject.given[1])).resolves.toBeDefined();
});
