import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { createTimeLimits } from '@porthole/relay/session/time-limits';
import { createFakeClock } from '../../fakes/clock.ts';

const policy = { sessionSeconds: 3600, idleSeconds: 600, perUser: 1, perMachine: 1 };
const minute = 60_000;

function startTime(limits: Partial<GrantClaims['limits']> = {}, resumes?: GrantClaims['resumes']) {
  const clock = createFakeClock();
  const told: ControlMessage[] = [];
  const overs: string[] = [];
  const time = createTimeLimits({
    clock,
    claims: { limits: { ...policy, ...limits }, ...(resumes ? { resumes } : {}) },
    sendControl: (message) => void told.push(message),
  });
  const stop = time.start((error) => void overs.push(error.code));
  return { clock, told, overs, time, stop };
}

/** Somebody is there all the time. */
function work({ clock, time }: ReturnType<typeof startTime>, ms: number): void {
  for (let left = ms; left > 0; left -= minute) {
    clock.advance(Math.min(minute, left));
    time.input();
  }
}

test('who does nothing is asked a minute before the end', () => {
  const { clock, told, overs } = startTime();
  clock.advance(9 * minute - 1);
  expect(told).toEqual([]);
  clock.advance(1);
  expect(told).toEqual([{ type: 'notice', notice: 'idle', seconds: 60, extend: true }]);
  clock.advance(minute);
  expect(overs).toEqual(['idle']);
  expect(clock.pending()).toBe(0);
});

test('any real input takes the question back, and so does the answer', () => {
  for (const act of ['input', 'extend'] as const) {
    const { clock, told, overs, time } = startTime();
    clock.advance(9 * minute);
    time[act]();
    expect(told.at(-1)).toEqual({ type: 'notice_over', notice: 'idle' });
    clock.advance(9 * minute - 1);
    expect(told).toHaveLength(2);
    clock.advance(1);
    expect(told).toHaveLength(3);
    expect(overs).toEqual([]);
  }
});

test('the end of the session is announced five minutes before, and comes however busy one is', () => {
  const subject = startTime();
  work(subject, 55 * minute);
  expect(subject.told).toEqual([{ type: 'notice', notice: 'time', seconds: 300, extend: false }]);
  work(subject, 5 * minute);
  expect(subject.overs).toEqual(['time_limit']);
  expect(subject.clock.pending()).toBe(0);
});

test('more time is given to who asks, as often as the policy allows, and never more than that', () => {
  const subject = startTime({ extendSeconds: 1800, maxSessionSeconds: 6000 });
  const { told, overs, time, clock } = subject;
  const opened = clock.now();
  work(subject, 55 * minute);
  expect(told).toEqual([{ type: 'notice', notice: 'time', seconds: 300, extend: true }]);
  time.extend();
  expect(told.at(-1)).toEqual({ type: 'notice_over', notice: 'time' });
  expect(time.endsAt()).toBe(opened + 90 * minute);
  work(subject, 30 * minute);
  time.extend();
  expect(time.endsAt()).toBe(opened + 100 * minute);
  work(subject, 10 * minute);
  expect(told.at(-1)).toEqual({ type: 'notice', notice: 'time', seconds: 300, extend: false });
  time.extend();
  work(subject, 5 * minute);
  expect(overs).toEqual(['time_limit']);
});

test('who asks for more time before being told gets none', () => {
  const { time } = startTime({ extendSeconds: 1800, maxSessionSeconds: 7200 });
  const before = time.endsAt();
  time.extend();
  expect(time.endsAt()).toBe(before);
});

test('a session that goes on has the time that was left, and what was extended', () => {
  const now = createFakeClock().now();
  const { clock, overs, time } = startTime({}, { openedAt: now - 3600_000, endsAt: now + 2 * minute });
  expect(time.openedAt).toBe(now - 3600_000);
  clock.advance(2 * minute);
  expect(overs).toEqual(['time_limit']);
});

test('nothing is left behind when the console ends before', () => {
  const { clock, stop } = startTime();
  stop();
  expect(clock.pending()).toBe(0);
});
