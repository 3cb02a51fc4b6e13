import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createFakeClock } from '../../../fakes/clock.ts';
import { describeStore } from '../contract/describe-store.ts';

/** A store with its clock. */
function aStore(maxEntries = 1000) {
  const clock = createFakeClock();
  return { clock, store: createMemoryStore({ clock, maxEntries }) };
}

describeStore('the store in memory', async () => {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock });
  await store.start();
  return {
    store,
    // All users in the process share one store.
    other: store,
    advance: async (ms) => clock.advance(ms),
    stop: () => store.stop(),
  };
});

describe('the store in memory, on its own clock', () => {
  test('a record expires exactly at the end of its lifetime', async () => {
    const { clock, store } = aStore();
    await store.records.put('k', 'v', 1000);
    clock.advance(999);
    expect(await store.records.get('k')).toBe('v');
    clock.advance(1);
    expect(await store.records.get('k')).toBeUndefined();
  });

  test('a lease expires exactly at the end of its lifetime', async () => {
    const { clock, store } = aStore();
    await store.leases.join('l', 'a', 1, 1000);
    clock.advance(999);
    expect(await store.leases.count('l')).toBe(1);
    clock.advance(1);
    expect(await store.leases.count('l')).toBe(0);
  });

  test('it sets no timers', async () => {
    const { clock, store } = aStore();
    await store.records.put('k', 'v', 1000);
    await store.leases.join('l', 'a', 1, 1000);
    await store.rateLimits.spend('k', 1, 1);
    expect(clock.pending()).toBe(0);
  });

  test('records beyond the limit are rejected until others expire', async () => {
    const { clock, store } = aStore(2);
    await store.records.put('a', 'v', 1000);
    await store.records.put('b', 'v', 5000);
    await expect(store.records.put('c', 'v', 1000)).rejects.toMatchObject({ code: 'store_unavailable' });
    await store.records.put('b', 'overwriting needs no room', 5000);
    clock.advance(1000);
    await store.records.put('c', 'v', 1000);
    expect(await store.records.get('b')).toBe('overwriting needs no room');
  });

  test('lease holders beyond the limit are rejected until others expire', async () => {
    const { clock, store } = aStore(2);
    await store.leases.join('l', 'a', 1, 1000);
    await store.leases.join('m', 'b', 1, 5000);
    await expect(store.leases.join('n', 'c', 1, 1000)).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(store.leases.tryAcquire('n', 'c', 1, 1000)).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    expect(await store.leases.join('m', 'b', 1, 5000)).toBe(0);
    clock.advance(1000);
    expect(await store.leases.join('n', 'c', 1, 1000)).toBe(0);
    await store.leases.release('m', 'b');
    expect(await store.leases.join('n', 'd', 1, 1000)).toBe(1);
  });

  test('new keys of a rate limit beyond the limit are rejected, and known ones still count', async () => {
    const { store } = aStore(2);
    await store.rateLimits.spend('a', 2, 60);
    await store.rateLimits.spend('b', 2, 60);
    await expect(store.rateLimits.spend('c', 2, 60)).rejects.toMatchObject({ code: 'store_unavailable' });
    await store.rateLimits.spend('a', 2, 60);
    await expect(store.rateLimits.spend('a', 2, 60)).rejects.toMatchObject({ code: 'rate_limited' });
  });

  test('points of a rate limit come back exactly at the end of the period', async () => {
    const { clock, store } = aStore();
    const refused = { code: 'rate_limited' };
    await store.rateLimits.spend('a', 1, 60);
    clock.advance(59_001);
    await expect(store.rateLimits.spend('a', 1, 60)).rejects.toMatchObject({ ...refused, retryAfter: 1 });
    await expect(store.rateLimits.check('a', 1, 60)).rejects.toMatchObject(refused);
    clock.advance(999);
    await store.rateLimits.check('a', 1, 60);
    await store.rateLimits.spend('a', 1, 60);
    await expect(store.rateLimits.spend('a', 1, 60)).rejects.toMatchObject({ ...refused, retryAfter: 60 });
  });

  test('expired keys of a rate limit make room for others', async () => {
    const { clock, store } = aStore(2);
    await store.rateLimits.spend('a', 2, 60);
    await store.rateLimits.spend('b', 2, 60);
    clock.advance(60_000);
    await store.rateLimits.spend('c', 2, 60);
    await store.rateLimits.spend('d', 2, 60);
  });
});
