import { getEventListeners } from 'node:events';
import { sleep, every } from '@porthole/shared/time/clock';
import { createFakeClock } from '../../fakes/clock.ts';

test('every runs once a period until it is cancelled', () => {
  const clock = createFakeClock();
  let rounds = 0;
  const cancel = every(clock, 100, () => rounds++);
  clock.advance(350);
  expect(rounds).toBe(3);
  cancel();
  clock.advance(1000);
  expect(rounds).toBe(3);
  expect(clock.pending()).toBe(0);
});

test('a sleep that is aborted rejects at once and leaves no timer', async () => {
  const clock = createFakeClock();
  const controller = new AbortController();
  const slept = sleep(clock, 1000, controller.signal);
  controller.abort(new Error('enough'));
  await expect(slept).rejects.toThrow('enough');
  expect(clock.pending()).toBe(0);
});

test('a sleep with a signal that is aborted already rejects at once and leaves no timer', async () => {
  const clock = createFakeClock();
  await expect(sleep(clock, 1000, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  expect(clock.pending()).toBe(0);
});

test('a completed sleep has no listener at its signal', async () => {
  const clock = createFakeClock();
  const { signal } = new AbortController();
  const slept = sleep(clock, 1000, signal);
  clock.advance(1000);
  await slept;
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});
