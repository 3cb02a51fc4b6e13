import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { TimeLimits } from '@porthole/relay/session/time-limits';
import { createFakeClock } from '../../fakes/clock.ts';

const policy = { sessionSeconds: 3600, idleSeconds: 600, perUser: 1, perMachine: 1 };
const minute = 60_000;

function startTimeLimits(limits: Partial<GrantClaims['limits']> = {}, resumes?: GrantClaims['resumes']) {
  const clock = createFakeClock();
  const sent: ControlMessage[] = [];
  const ends: string[] = [];
  const time = new TimeLimits({
    clock,
    claims: { limits: { ...policy, ...limits }, ...(resumes ? { resumes } : {}) },
    sendControl: (message) => void sent.push(message),
  });
  time.start((error) => void ends.push(error.code));
  const stop = () => time.stop();
  return { clock, sent, ends, time, stop };
}

/** Time passes with input every minute. */
function advanceWithInput({ clock, time }: ReturnType<typeof startTimeLimits>, ms: number): void {
  for (let left = ms; left > 0; left -= minute) {
    clock.advance(Math.min(minute, left));
    time.input();
  }
}

test('an idle user gets a notice a minute before the end', () => {
  const { clock, sent, ends } = startTimeLimits();
  clock.advance(9 * minute - 1);
  expect(sent).toEqual([]);
  clock.advance(1);
  expect(sent).toEqual([{ type: 'notice', notice: 'idle', seconds: 60, extend: true }]);
  clock.advance(minute);
  expect(ends).toEqual(['idle']);
  expect(clock.pending()).toBe(0);
});

test('input and an extension both withdraw the idle notice', () => {
  for (const action of ['input', 'extend'] as const) {
    const { clock, sent, ends, time } = startTimeLimits();
    clock.advance(9 * minute);
    time[action]();
    expect(sent.at(-1)).toEqual({ type: 'notice_over', notice: 'idle' });
    clock.advance(9 * minute - 1);
    expect(sent).toHaveLength(2);
    clock.advance(1);
    expect(sent).toHaveLength(3);
    expect(ends).toEqual([]);
  }
});

test('the idle time can begin again without input', () => {
  const { clock, sent, ends, time, stop } = startTimeLimits();
  clock.advance(9 * minute);
  time.restartIdle();
  expect(sent.at(-1)).toEqual({ type: 'notice_over', notice: 'idle' });
  clock.advance(9 * minute);
  expect([time.hadInput, ends]).toEqual([false, []]);
  stop();
});

test('the end of the session time is announced five minutes before, and input does not delay it', () => {
  const subject = startTimeLimits();
  advanceWithInput(subject, 55 * minute);
  expect(subject.sent).toEqual([{ type: 'notice', notice: 'time', seconds: 300, extend: false }]);
  advanceWithInput(subject, 5 * minute);
  expect(subject.ends).toEqual(['time_limit']);
  expect(subject.clock.pending()).toBe(0);
});

test('the session time can be extended up to the limit of the grant', () => {
  const subject = startTimeLimits({ extendSeconds: 1800, maxSessionSeconds: 6000 });
  const { sent, ends, time, clock } = subject;
  const opened = clock.now();
  advanceWithInput(subject, 55 * minute);
  expect(sent).toEqual([{ type: 'notice', notice: 'time', seconds: 300, extend: true }]);
  time.extend();
  expect(sent.at(-1)).toEqual({ type: 'notice_over', notice: 'time' });
  expect(time.endsAt).toBe(opened + 90 * minute);
  advanceWithInput(subject, 30 * minute);
  time.extend();
  expect(time.endsAt).toBe(opened + 100 * minute);
  advanceWithInput(subject, 10 * minute);
  expect(sent.at(-1)).toEqual({ type: 'notice', notice: 'time', seconds: 300, extend: false });
  time.extend();
  advanceWithInput(subject, 5 * minute);
  expect(ends).toEqual(['time_limit']);
});

test('an extension before the notice has no effect', () => {
  const { time } = startTimeLimits({ extendSeconds: 1800, maxSessionSeconds: 7200 });
  const before = time.endsAt;
  time.extend();
  expect(time.endsAt).toBe(before);
});

test('a resumed session keeps its end, including extensions', () => {
  const now = createFakeClock().now();
  const { clock, ends, time } = startTimeLimits(
    {},
    { openedAt: now - 3600_000, endsAt: now + 2 * minute, generation: 1 },
  );
  expect(time.openedAt).toBe(now - 3600_000);
  clock.advance(2 * minute);
  expect(ends).toEqual(['time_limit']);
});

test('a stopped session leaves no timer', () => {
  const { clock, stop } = startTimeLimits();
  stop();
  expect(clock.pending()).toBe(0);
});
