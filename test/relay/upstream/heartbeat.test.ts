import { startUpstreamHeartbeat } from '@porthole/relay/upstream/heartbeat';
import { createFakeClock } from '../../fakes/clock.ts';

function aHeartbeat() {
  const clock = createFakeClock();
  const state = { received: 0, pings: 0, answering: true, answers: [] as number[], lost: [] as string[] };
  const cancel = startUpstreamHeartbeat({
    clock,
    link: {
      ping(onPong) {
        state.pings++;
        if (state.answering) clock.after(30, onPong);
      },
    },
    received: () => state.received,
    onAnswered: (seconds) => state.answers.push(seconds),
    onLost: (error) => state.lost.push(error.code),
  });
  return { clock, state, cancel };
}

test('a machine that answers is asked every 20 seconds, and how fast it does is told', () => {
  const { clock, state, cancel } = aHeartbeat();
  clock.advance(3_600_000);
  expect(state.pings).toBe(180);
  expect(state.answers.at(-1)).toBe(0.03);
  expect(state.lost).toEqual([]);
  cancel();
  clock.advance(1000);
  expect(clock.pending()).toBe(0);
});

test('one that is gone without a word is found within a minute', () => {
  const { clock, state } = aHeartbeat();
  clock.advance(61_000);
  state.answering = false;
  clock.advance(59_000);
  expect(state.lost[0]).toBe('console_timeout');
});

test('one that sends is alive, whatever it answers', () => {
  const { clock, state } = aHeartbeat();
  state.answering = false;
  for (let round = 0; round < 100; round++) {
    state.received += 1;
    clock.advance(20_000);
  }
  expect(state.lost).toEqual([]);
});
