import { createClassStates } from '@porthole/shared/class/class-states';
import { createClassStarts } from '@porthole/shared/class/starts';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createKeyedDigests } from '@porthole/shared/crypto/keyed-digests';
import { PortholeError } from '@porthole/shared/errors';
import { digest, leaseNames } from '@porthole/shared/store/keys';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { Store } from '@porthole/shared/store/ports';
import { createFakeClock } from '../../fakes/clock.ts';

const [old, next] = ['o'.repeat(40), 'n'.repeat(40)];
const minute = 60_000;

/** A store, and pods with these grant keys that use it. */
async function createFixture() {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock });
  await store.start();
  /** What the store contains. */
  const written = new Map<string, string>();
  const records: Store['records'] = {
    ...store.records,
    async put(key, value, ttlMs) {
      written.set(key, value);
      await store.records.put(key, value, ttlMs);
    },
    add(key, value, ttlMs) {
      written.set(key, value);
      return store.records.add(key, value, ttlMs);
    },
  };
  const published: unknown[] = [];
  const pod = (...keys: string[]) => {
    const deps = { records, leases: store.leases, keys: () => keys, random: systemRandom };
    return {
      states: createClassStates({
        ...deps,
        signals: { publish: async (signal) => void published.push(signal) },
      }),
      starts: createClassStarts(deps),
    };
  };
  return { clock, store, pod, written, published };
}

const aPause = (until: number, text = 'Eyes up here.') => ({ version: 1 as const, until, text });
const aHand = (id: string, since = 1, text = '') => ({
  version: 1 as const,
  user: { id, name: id },
  since,
  text,
});

test('what one pod writes, another reads, until it expires', async () => {
  const { clock, pod } = await createFixture();
  const pause = aPause(clock.now() + minute);
  await pod(old).states.pauses.write('lab', pause, minute);
  expect((await pod(old).states.read('lab')).paused).toEqual(pause);
  expect((await pod(old).states.read('other')).paused).toBeUndefined();
  clock.advance(minute);
  expect((await pod(old).states.read('lab')).paused).toBeUndefined();
});

test('each announcement is a new revision, and sends one signal', async () => {
  const { pod, published } = await createFixture();
  const { states } = pod(old);
  expect(await states.revision('lab')).toBeUndefined();
  await states.announce('lab');
  const first = await states.revision('lab');
  await states.announce('lab');
  expect(first).toBeDefined();
  expect(await states.revision('lab')).not.toBe(first);
  expect(await states.revision('other')).toBeUndefined();
  expect(published).toEqual([
    { type: 'class', name: 'lab' },
    { type: 'class', name: 'lab' },
  ]);
});

test('an announcement succeeds although its signal cannot be sent', async () => {
  const { store } = await createFixture();
  const states = createClassStates({
    ...store,
    keys: () => [old],
    random: systemRandom,
    signals: { publish: () => Promise.reject(new PortholeError('store_unavailable')) },
  });
  await states.announce('lab');
  expect(await states.revision('lab')).toBeDefined();
});

test('the store contains no name, text or user, not even as a digest that can be guessed, and nothing that was forged counts', async () => {
  const { clock, pod, written } = await createFixture();
  const { states } = pod(old);
  await states.pauses.write('lab', aPause(clock.now() + minute, 'secret text'), minute);
  await states.messages.add('lab', { id: '1', at: clock.now(), text: 'secret message' });
  await states.help.raise('lab', aHand('local:anna', 1, 'secret plea'));
  await states.announce('lab');
  const shown = [...written].flat().join('\n');
  expect(shown).not.toMatch(/secret|anna|lab/);
  for (const guess of ['class/paused/lab', 'help/["lab","local:anna"]', 'local:anna']) {
    expect(shown).not.toContain(digest(guess));
    expect(shown).not.toContain(createKeyedDigests(() => [next]).of(guess));
  }
  // An attacker with access to the store, but without the key, puts another pause in its place.
  const [key = ''] = [...written].find(([name]) => name.includes('class')) ?? [];
  const { written: elsewhere, pod: otherPod } = await createFixture();
  await otherPod(next).states.pauses.write('lab', aPause(clock.now() + minute), minute);
  written.set(key, [...elsewhere.values()][0] ?? '');
  const { store } = await createFixture();
  for (const [name, value] of written) await store.records.put(name, value, minute);
  const read = createClassStates({
    ...store,
    keys: () => [old],
    random: systemRandom,
    signals: { publish: async () => {} },
  });
  expect((await read.read('lab')).paused).toBeUndefined();
});

test('while the grant keys rotate, pods see what the others write, and the last word counts', async () => {
  const { clock, pod } = await createFixture();
  const [before, after] = [pod(old, next).states, pod(next, old).states];
  const until = clock.now() + minute;
  await before.pauses.write('lab', aPause(until, 'One.'), minute);
  await after.pauses.write('lab', aPause(until, 'Two.'), minute);
  for (const states of [before, after]) expect((await states.read('lab')).paused?.text).toBe('Two.');
  await before.messages.add('lab', { id: '1', at: clock.now(), text: 'One.' });
  await after.messages.add('lab', { id: '2', at: clock.now(), text: 'Two.' });
  for (const states of [before, after])
    expect((await states.messages.read('lab')).map(({ id }) => id)).toEqual(['1', '2']);
  const revision = await before.revision('lab');
  await after.announce('lab');
  expect(await before.revision('lab')).not.toBe(revision);
  await after.pauses.clear('lab');
  expect((await before.read('lab')).paused).toBeUndefined();
});

test('while the grant keys rotate, a raised hand keeps its place', async () => {
  const { pod } = await createFixture();
  const [before, after] = [pod(old, next).states.help, pod(next, old).states.help];
  await before.raise('lab', aHand('ada'));
  await before.raise('lab', aHand('ben'));
  await after.renew('lab', 'ada');
  await after.raise('lab', aHand('ada', 5, 'New text'));
  expect((await after.list('lab')).map(({ user, text }) => [user.id, text])).toEqual([
    ['ada', 'New text'],
    ['ben', ''],
  ]);
  const order = await after.order('lab');
  expect([after.positionIn(order, 'lab', 'ben'), after.positionIn(order, 'lab', 'eve')]).toEqual([
    2,
    undefined,
  ]);
  await after.lower('lab', 'ada');
  expect((await before.list('lab')).map(({ user }) => user.id)).toEqual(['ben']);
});

test('a hand that is raised again keeps its place and its time, and one that was lowered goes to the end', async () => {
  const { pod } = await createFixture();
  const { help } = pod(old).states;
  await help.raise('lab', aHand('ada', 1));
  await help.raise('lab', aHand('ben', 2));
  await help.raise('lab', aHand('ada', 3, 'It is urgent'));
  expect(await help.list('lab')).toMatchObject([
    { user: { id: 'ada' }, since: 1, text: 'It is urgent' },
    { user: { id: 'ben' }, since: 2 },
  ]);
  await help.lower('lab', 'ada');
  await help.raise('lab', aHand('ada', 4));
  expect((await help.list('lab')).map(({ user }) => user.id)).toEqual(['ben', 'ada']);
});

test('a queue of a thousand hands takes no further one', async () => {
  const { pod, store } = await createFixture();
  const { help } = pod(old).states;
  for (let each = 0; each < 1000; each++)
    await store.leases.tryAcquire(leaseNames.help('lab'), `user-${each}`, 1000, minute);
  expect(await help.raise('lab', aHand('one too many'))).toBe(false);
  expect(await help.order('lab')).toHaveLength(1000);
});

test('only the newest twenty messages are kept, and none for more than ten minutes', async () => {
  const { clock, pod } = await createFixture();
  const { messages } = pod(old).states;
  for (let each = 0; each < 25; each++)
    await messages.add('lab', { id: String(each), at: clock.now(), text: 'x' });
  const kept = await messages.read('lab');
  expect([kept.length, kept[0]?.id, kept.at(-1)?.id]).toEqual([20, '5', '24']);
  clock.advance(10 * minute);
  expect(await messages.read('lab')).toEqual([]);
});

test('many pods that write at the same time lose no message', async () => {
  const { clock, pod } = await createFixture();
  await Promise.all(
    Array.from({ length: 10 }, (_, each) =>
      pod(old).states.messages.add('lab', { id: String(each), at: clock.now(), text: 'x' }),
    ),
  );
  expect(await pod(old).states.messages.read('lab')).toHaveLength(10);
});
