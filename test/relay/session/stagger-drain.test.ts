import { staggerDrain } from '@porthole/relay/session/stagger-drain';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createFakeClock } from '../../fakes/clock.ts';

/** When each of so many sessions is ended, in milliseconds after the start. */
async function endTimes(count: number, windowMs: number): Promise<number[]> {
  const clock = createFakeClock();
  const since = clock.now();
  const at: number[] = [];
  const all = Array.from({ length: count }, (_, i) => i);
  const done = staggerDrain({ clock, random: systemRandom }, all, windowMs, () =>
    at.push(clock.now() - since),
  );
  for (let ms = 0; ms < windowMs; ms += 10) {
    clock.advance(10);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  }
  await done;
  expect(clock.pending()).toBe(0);
  return at;
}

test('many sessions are ended evenly over the whole window', async () => {
  const at = await endTimes(500, 10_000);
  expect(at).toHaveLength(500);
  expect(Math.max(...at)).toBeLessThanOrEqual(10_010);
  for (let second = 0; second < 10; second++) {
    const now = at.filter((ms) => ms >= second * 1000 && ms < (second + 1) * 1000);
    expect(now.length).toBeGreaterThan(40);
    expect(now.length).toBeLessThan(60);
  }
});

test('a few sessions are ended early in the window', async () => {
  expect(Math.max(...(await endTimes(3, 10_000)))).toBeLessThanOrEqual(310);
});

test('a drain without sessions takes no time', async () => {
  expect(await endTimes(0, 0)).toEqual([]);
});
