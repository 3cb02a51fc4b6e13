import { takeGrant } from '@porthole/shared/grant/grant';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { RecordStore } from '@porthole/shared/store/ports';
import { ResumeTokens } from '@porthole/relay/session/resume-tokens';
import { createFakeClock } from '../../fakes/clock.ts';
import { aGrant } from '../rig.ts';

const keys = () => ['k'.repeat(40)];
const rotationMs = 40_000;
const refused = { code: 'grant_invalid' };

function startTokens(change: (records: RecordStore) => RecordStore = (records) => records) {
  const clock = createFakeClock();
  const { records } = createMemoryStore({ clock });
  const sent: string[] = [];
  const claims = aGrant(clock, { sessionId: 'session-1', issuedAt: clock.now() - 1000 });
  const connection = { alive: true, diedAt: 0 };
  const tokens = new ResumeTokens({
    records: change(records),
    keys,
    random: systemRandom,
    clock,
    claims: () => claims,
    send: (token) => void sent.push(token),
    answeredSince: (time) => connection.alive || time < connection.diedAt,
  });
  const take = (token: string | undefined) => takeGrant({ records, keys, clock }, token ?? '');
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  const nextRotation = async () => {
    clock.advance(rotationMs);
    await settle();
  };
  /** The viewer answers no ping that is sent from now on. */
  const die = () => Object.assign(connection, { alive: false, diedAt: clock.now() });
  return { clock, claims, sent, tokens, take, settle, nextRotation, die };
}

test('the first token is sent at once, and is for the same session', async () => {
  const { sent, take, claims, settle, tokens, clock } = startTokens();
  expect(tokens.canResume).toBe(false);
  await settle();
  expect(sent).toHaveLength(1);
  expect(tokens.canResume).toBe(true);
  expect(await take(sent[0])).toEqual({ ...claims, expiresAt: clock.now() + 120_000 });
});

test('only the two newest tokens are valid', async () => {
  const { sent, take, settle, nextRotation } = startTokens();
  await settle();
  await nextRotation();
  await nextRotation();
  expect(sent).toHaveLength(3);
  await expect(take(sent[0])).rejects.toMatchObject(refused);
  await expect(take(sent[1])).resolves.toMatchObject({ sessionId: 'session-1' });
  await expect(take(sent[2])).resolves.toMatchObject({ sessionId: 'session-1' });
});

test('“the page could not resume”: the last token that reached a dead connection stays valid', async () => {
  const { clock, sent, take, settle, nextRotation, die } = startTokens();
  await settle();
  await nextRotation();
  clock.advance(1);
  die();
  // This one is sent into the void; the relay notices a dead connection only after it.
  await nextRotation();
  await nextRotation();
  expect(sent).toHaveLength(3);
  await expect(take(sent[1])).resolves.toMatchObject({ sessionId: 'session-1' });
});

test('after the last token, the session can be resumed for two minutes', async () => {
  const { sent, take, settle, tokens, clock } = startTokens();
  await settle();
  await tokens.stop();
  expect(clock.pending()).toBe(0);
  clock.advance(120_000 - 1);
  await expect(take(sent[0])).resolves.toMatchObject({ sessionId: 'session-1' });
  const other = startTokens();
  await other.settle();
  await other.tokens.stop();
  other.clock.advance(120_000);
  await expect(other.take(other.sent[0])).rejects.toMatchObject(refused);
});

test('revoking leaves no valid token', async () => {
  const { sent, take, settle, nextRotation, tokens, clock } = startTokens();
  await settle();
  await nextRotation();
  await tokens.revoke();
  expect(sent).toHaveLength(2);
  for (const token of sent) await expect(take(token)).rejects.toMatchObject(refused);
  expect(clock.pending()).toBe(0);
});

test('a token that is being made while the viewer is lost does not replace the one that the viewer has', async () => {
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
  await subject.nextRotation();
  const stopped = subject.tokens.stop();
  release();
  await stopped;
  expect(subject.sent).toHaveLength(1);
  await expect(subject.take(subject.sent[0])).resolves.toMatchObject({ sessionId: 'session-1' });
});

test('“an old token resumed an ended session”: a token that could not be revoked yet is revoked with the session', async () => {
  let away = false;
  const subject = startTokens((records) => ({
    ...records,
    delete: (key) => (away ? Promise.reject(new Error('away')) : records.delete(key)),
  }));
  await subject.settle();
  await subject.nextRotation();
  away = true;
  await subject.nextRotation();
  away = false;
  await subject.tokens.revoke();
  for (const token of subject.sent) await expect(subject.take(token)).rejects.toMatchObject(refused);
});

test('there are never more than two valid tokens, even while they rotate', async () => {
  let valid = 0;
  let most = 0;
  const subject = startTokens((records) => ({
    ...records,
    async put(key, value, ttlMs) {
      await records.put(key, value, ttlMs);
      most = Math.max(most, ++valid);
    },
    async delete(key) {
      await records.delete(key);
      valid--;
    },
  }));
  await subject.settle();
  for (let round = 0; round < 5; round++) await subject.nextRotation();
  expect(subject.sent).toHaveLength(6);
  expect(most).toBe(2);
});

test('a store that is unavailable for one rotation has no consequence', async () => {
  let away = false;
  const subject = startTokens((records) => ({
    ...records,
    put: (...args) => (away ? Promise.reject(new Error('away')) : records.put(...args)),
  }));
  await subject.settle();
  away = true;
  await subject.nextRotation();
  expect(subject.sent).toHaveLength(1);
  away = false;
  await subject.nextRotation();
  expect(subject.sent).toHaveLength(2);
  await expect(subject.take(subject.sent[1])).resolves.toBeDefined();
});
