import { createMachineOwners } from '@porthole/relay/sharing/machine-owners';
import { systemRandom } from '@porthole/shared/crypto/random';
import { PortholeError } from '@porthole/shared/errors';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { RecordStore } from '@porthole/shared/store/ports';
import { createFakeClock } from '../../fakes/clock.ts';
import { describeMachineOwners } from './describe-machine-owners.ts';

describeMachineOwners('owner records in memory', async () => {
  const store = createMemoryStore({ clock: createFakeClock() });
  await store.start();
  return { store, other: store, stop: () => store.stop() };
});

/** Relays on one clock and one store, which can be unavailable. */
function createFixture() {
  const clock = createFakeClock();
  const { records } = createMemoryStore({ clock });
  let available = true;
  let addAnswers = true;
  const guard =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A) => {
      if (!available) throw new PortholeError('store_unavailable');
      return call(...args);
    };
  const guarded: Pick<RecordStore, 'add' | 'get' | 'replace' | 'remove'> = {
    add: guard(async (...args) => {
      const added = await records.add(...args);
      if (!addAnswers) throw new PortholeError('store_unavailable');
      return added;
    }),
    get: guard(records.get),
    replace: guard(records.replace),
    remove: guard(records.remove),
  };
  const settle = async () => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  };
  return {
    clock,
    setAvailable: (value: boolean) => (available = value),
    /** Whether the answers of `add` arrive. */
    setAddAnswers: (value: boolean) => (addAnswers = value),
    async advance(ms: number) {
      for (let left = ms; left > 0; left -= 1000) {
        clock.advance(1000);
        await settle();
      }
    },
    aRelay(address: string, clockOfRelay = clock) {
      const owners = createMachineOwners({
        records: guarded,
        keys: () => ['k'.repeat(40)],
        random: systemRandom,
        clock: clockOfRelay,
        address,
        metrics: { ownerChanged: () => {} },
      });
      return () => owners.claim({ cluster: 'lab', vmid: 100 }, { signal: new AbortController().signal });
    },
  };
}

test('an owner stays the owner as long as it renews, and has no timer after its release', async () => {
  const { aRelay, advance, clock } = createFixture();
  const claimed = await aRelay('a:1')();
  await advance(60_000);
  expect(await aRelay('b:1')()).toMatchObject({ owner: { address: 'a:1' } });
  if (!('owned' in claimed)) throw new Error('not owned');
  await claimed.owned.release();
  expect(clock.pending()).toBe(0);
});

test('the record of a relay that has died expires after 15 s', async () => {
  const { aRelay, advance } = createFixture();
  // Its own clock stands still, so it never renews.
  await aRelay('dead:1', createFakeClock())();
  await advance(14_000);
  expect(await aRelay('b:1')()).toMatchObject({ owner: { address: 'dead:1' } });
  await advance(1000);
  expect(await aRelay('b:1')()).toHaveProperty('owned');
});

test('after an outage of the store that outlasts the record, the owner writes it again', async () => {
  const { aRelay, advance, setAvailable } = createFixture();
  const claimed = await aRelay('a:1')();
  if (!('owned' in claimed)) throw new Error('not owned');
  let lost = 0;
  claimed.owned.onLost(() => lost++);
  setAvailable(false);
  await advance(60_000);
  setAvailable(true);
  await advance(5000);
  expect(lost).toBe(0);
  expect(await aRelay('b:1')()).toMatchObject({ owner: { address: 'a:1' } });
});

test('after an outage in which another relay became the owner, the first one is told that it lost the machine', async () => {
  const { aRelay, advance, clock, setAvailable } = createFixture();
  const claimed = await aRelay('a:1')();
  if (!('owned' in claimed)) throw new Error('not owned');
  let lost = 0;
  setAvailable(false);
  await advance(20_000);
  setAvailable(true);
  expect(await aRelay('b:1')()).toHaveProperty('owned');
  await advance(5000);
  // A listener that comes after the loss is called as well.
  claimed.owned.onLost(() => lost++);
  expect(lost).toBe(1);
  expect(clock.pending()).toBe(1);
});

test('an owner does not lose the machine to itself when the answer to its writing was lost', async () => {
  const { aRelay, advance, setAddAnswers, setAvailable } = createFixture();
  const claimed = await aRelay('a:1')();
  if (!('owned' in claimed)) throw new Error('not owned');
  let lost = 0;
  claimed.owned.onLost(() => lost++);
  setAvailable(false);
  await advance(20_000);
  setAvailable(true);
  // The record is written again, but the owner does not learn it.
  setAddAnswers(false);
  await advance(5000);
  setAddAnswers(true);
  await advance(10_000);
  expect(lost).toBe(0);
  expect(await aRelay('b:1')()).toMatchObject({ owner: { address: 'a:1' } });
  // It knows the record as its own.
  await claimed.owned.release();
  expect(await aRelay('b:1')()).toHaveProperty('owned');
});

test('a claim while the store is unavailable is rejected, and can be made again afterwards', async () => {
  const { aRelay, setAvailable } = createFixture();
  const claim = aRelay('a:1');
  setAvailable(false);
  await expect(claim()).rejects.toMatchObject({ code: 'store_unavailable' });
  setAvailable(true);
  expect(await claim()).toHaveProperty('owned');
});

test('a release while the store is unavailable does not reject', async () => {
  const { aRelay, setAvailable, clock } = createFixture();
  const claimed = await aRelay('a:1')();
  if (!('owned' in claimed)) throw new Error('not owned');
  setAvailable(false);
  await claimed.owned.release();
  expect(clock.pending()).toBe(0);
});
