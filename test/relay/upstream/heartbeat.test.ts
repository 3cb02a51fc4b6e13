import { startUpstreamHeartbeat } from '@porthole/relay/upstream/heartbeat';
import { createFakeClock } from '../../fakes/clock.ts';

function startHeartbeat() {
  const clock = createFakeClock();
  const state = { received: 0, pings: 0, answering: true, roundTrips: [] as number[], lost: [] as string[] };
  const cancel = startUpstreamHeartbeat(clock, {
    link: {
      ping(onPong) {
        state.pings++;
        if (state.answering) clock.after(30, onPong);
      },
    },
    get received() {
      return state.received;
    },
    onPong: (seconds) => state.roundTrips.push(seconds),
    onLost: (error) => state.lost.push(error.code),
  });
  return { clock, state, cancel };
}

test('a machine is pinged every 20 seconds, and the round-trip times are reported', () => {
  const { clock, state, cancel } = startHeartbeat();
  clock.advance(3_600_000);
  expect(state.pings).toBe(180);
  expect(state.roundTrips.at(-1)).toBe(0.03);
  expect(state.lost).toEqual([]);
  cancel();
  clock.advance(1000);
  expect(clock.pending()).toBe(0);
});

test('a machine that stops answering is reported as lost within a minute', () => {
  const { clock, state } = startHeartbeat();
  clock.advance(61_000);
  state.answering = false;
  clock.advance(59_000);
  expect(state.lost[0]).toBe('console_timeout');
});

test('a machine that sends data is not lost, even if it answers no ping', () => {
  const { clock, state } = startHeartbeat();
  state.answering = false;
  for (let round = 0; round < 100; round++) {
    state.received += 1;
    clock.advance(20_000);
  }
  expect(state.lost).toEqual([]);
});
