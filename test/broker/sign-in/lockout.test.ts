import { lockoutKey, withLockout } from '@porthole/broker/sign-in/lockout';
import { PortholeError } from '@porthole/shared/errors';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createFakeClock } from '../../fakes/clock.ts';
import { startRedisServer, type RedisServer } from '../../fakes/redis-server.ts';
import { redisStores } from '../../shared/store/store-harness.ts';
import { closeBrokers, startBroker } from '../rig.ts';

afterEach(closeBrokers);

const wrong = () => Promise.reject(new PortholeError('wrong_password'));

/** Tries until the lockout, and returns the number of tries and the wait in seconds. */
async function tryUntilLocked(rateLimits: Parameters<typeof withLockout>[0], key: string) {
  for (let tries = 0; tries < 100; tries += 1) {
    const error: unknown = await withLockout(rateLimits, key, wrong).catch((thrown: unknown) => thrown);
    if (error instanceof PortholeError && error.code === 'rate_limited')
      return { tries, wait: error.retryAfter ?? 0 };
  }
  throw new Error('never locked');
}

test('after five wrong passwords even the right one is rejected, with a Retry-After', async () => {
  const rig = await startBroker();
  const browser = rig.browser();
  for (let time = 0; time < 5; time += 1) expect((await browser.signIn('anna', 'not it')).status).toBe(401);
  const answer = await browser.signIn('anna');
  expect([answer.status, answer.json.code]).toEqual([429, 'rate_limited']);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  expect((await browser.signIn('ben')).status).toBe(200);
});

test('right passwords do not count', async () => {
  const rig = await startBroker();
  for (let time = 0; time < 15; time += 1) expect((await rig.browser().signIn('anna')).status).toBe(200);
});

test('of many simultaneous guesses only five reach the password check', async () => {
  const { rateLimits } = createMemoryStore({ clock: createFakeClock() });
  const key = lockoutKey('anna', '10.0.0.1');
  let checked = 0;
  const guess = async () => {
    checked += 1;
    await new Promise((resolve) => setImmediate(resolve));
    return wrong();
  };
  const guesses = await Promise.allSettled(
    Array.from({ length: 50 }, () => withLockout(rateLimits, key, guess)),
  );
  expect(checked).toBe(5);
  const codes = guesses.map((guessed) => (guessed.status === 'rejected' ? guessed.reason.code : 'in'));
  expect(codes.filter((code) => code === 'wrong_password')).toHaveLength(5);
  expect(codes.filter((code) => code === 'rate_limited')).toHaveLength(45);
  // The rejected ones did not count as guesses.
  await expect(rateLimits.check(key, 10, 600)).resolves.toBeUndefined();
});

describe('simultaneous guesses at two brokers', () => {
  const stores = redisStores();
  let redis: RedisServer;
  beforeEach(async () => {
    redis = await startRedisServer();
  });
  afterEach(() => redis.stop());

  test('share one limit, and right passwords do not count', async () => {
    const open = () => stores.open({ mode: 'standalone', url: redis.url });
    const limits = [await open(), await open()].map(({ rateLimits }) => rateLimits);
    const key = lockoutKey('anna', '10.0.0.1');
    let checked = 0;
    const all = (attempt: () => Promise<unknown>, count: number) =>
      Promise.allSettled(
        Array.from({ length: count }, (_, index) =>
          withLockout(limits[index % 2] ?? limits[0]!, key, () => (checked++, attempt())),
        ),
      );
    for (let time = 0; time < 5; time += 1) await all(async () => 'in', 4);
    expect(checked).toBe(20);
    await all(wrong, 40);
    expect(checked).toBe(25);
  });
});

test('guesses from one address do not lock out the user at another', async () => {
  const { rateLimits } = createMemoryStore({ clock: createFakeClock() });
  await tryUntilLocked(rateLimits, lockoutKey('anna', '10.0.0.1'));
  await expect(withLockout(rateLimits, lockoutKey('anna', '10.0.0.2'), async () => 'in')).resolves.toBe('in');
});

test('an unknown user name is locked like a known one, so that the lockout reveals no names', async () => {
  const rig = await startBroker();
  const browser = rig.browser();
  for (let time = 0; time < 5; time += 1) await browser.signIn('unknown', 'x');
  expect((await browser.signIn('unknown', 'x')).json.code).toBe('rate_limited');
});

test('other errors do not count as wrong passwords', async () => {
  const { rateLimits } = createMemoryStore({ clock: createFakeClock() });
  const key = lockoutKey('anna', '10.0.0.1');
  const away = () => Promise.reject(new PortholeError('store_unavailable'));
  for (let time = 0; time < 30; time += 1)
    await expect(withLockout(rateLimits, key, away)).rejects.toMatchObject({ code: 'store_unavailable' });
  await expect(withLockout(rateLimits, key, async () => 'in')).resolves.toBe('in');
});

test('more wrong passwords lock for longer', async () => {
  const { rateLimits } = createMemoryStore({ clock: createFakeClock() });
  const key = lockoutKey('anna', '10.0.0.1');
  const first = await tryUntilLocked(rateLimits, key);
  expect(first.tries).toBe(5);
  expect(first.wait).toBeLessThanOrEqual(60);
  // As after several minutes with five wrong passwords each.
  for (let time = 0; time < 5; time += 1) await rateLimits.spend(key, 10, 600);
  const second = await tryUntilLocked(rateLimits, key);
  for (let time = 0; time < 15; time += 1) await rateLimits.spend(key, 20, 3600);
  const waits = await Promise.all(
    [rateLimits.check(key, 10, 600), rateLimits.check(key, 20, 3600)].map(waitOf),
  );
  expect(second.tries).toBe(0);
  expect(waits[0]).toBeGreaterThan(60);
  expect(waits[1]).toBeGreaterThan(600);
});

async function waitOf(check: Promise<void>): Promise<number> {
  const error: unknown = await check.catch((thrown: unknown) => thrown);
  return error instanceof PortholeError ? (error.retryAfter ?? 0) : 0;
}
