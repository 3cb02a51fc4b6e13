import { startMachinePulse } from '@porthole/relay/upstream/heartbeat';
import { createFakeClock } from '../fakes/clock.ts';

function aPulse() {
  const clock = createFakeClock();
  const state = { heard: 0, pings: 0, answering: true, answers: [] as number[], gone: [] as string[] };
  const cancel = startMachinePulse({
    clock,
    link: {
      ping(onPong) {
        state.pings++;
        if (state.answering) clock.after(30, onPong);
      },
    },
    heard: () => state.heard,
    answered: (seconds) => state.answers.push(seconds),
    gone: (error) => state.gone.push(error.code),
  });
  return { clock, state, cancel };
}

test('a machine that answers is asked every 20 seconds, and how fast it does is told', () => {
  const { clock, state, cancel } = aPulse();
  clock.advance(3_600_000);
  expect(state.pings).toBe(180);
  expect(state.answers.at(-1)).toBe(0.03);
  expect(state.gone).toEqual([]);
  cancel();
  clock.advance(1000);
  expect(clock.pending()).toBe(0);
});

test('one that is gone without a word is found within a minute', () => {
  const { clock, state } = aPulse();
  clock.advance(61_000);
  state.answering = false;
  clock.advance(59_000);
  expect(state.gone[0]).toBe('console_timeout');
});

test('one that sends is alive, whatever it answers', () => {
  const { clock, state } = aPulse();
  state.answering = false;
  for (let round = 0; round < 100; round++) {
    state.heard += 1;
    clock.advance(20_000);
  }
  expect(state.gone).toEqual([]);
});
