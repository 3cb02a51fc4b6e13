import { withDeadline } from '@porthole/shared/time/with-deadline';
import { createFakeClock } from '../../fakes/clock.ts';

function aPhase(signal = new AbortController().signal) {
  const clock = createFakeClock();
  const work = Promise.withResolvers<string>();
  let given: AbortSignal | undefined;
  const outcome = withDeadline({ clock, signal }, 1000, 'proxmox_timeout', (phase) => {
    given = phase;
    return work.promise;
  });
  return { clock, work, outcome, given: () => given };
}

describe('a phase with a deadline', () => {
  test('ends with what it found, and leaves no timer', async () => {
    const { clock, work, outcome, given } = aPhase();
    clock.advance(999);
    work.resolve('found');
    expect(await outcome).toBe('found');
    expect(clock.pending()).toBe(0);
    expect(given()?.aborted).toBe(false);
  });

  test('ends with its own error', async () => {
    const { clock, work, outcome } = aPhase();
    work.reject(new Error('broken'));
    await expect(outcome).rejects.toThrow('broken');
    expect(clock.pending()).toBe(0);
  });

  test('ends when it is late, and is told to let go', async () => {
    const { clock, outcome, given } = aPhase();
    clock.advance(1000);
    await expect(outcome).rejects.toMatchObject({
      code: 'proxmox_timeout',
      detail: 'nothing within 1000 ms',
    });
    expect(given()?.aborted).toBe(true);
  });

  test('ends with the session and for its reason, and is told to let go', async () => {
    const session = new AbortController();
    const { clock, outcome, given } = aPhase(session.signal);
    session.abort(new Error('closed the tab'));
    await expect(outcome).rejects.toThrow('closed the tab');
    expect(given()?.aborted).toBe(true);
    expect(clock.pending()).toBe(0);
  });

  test('of a session that is over ends at once', async () => {
    const { outcome, clock } = aPhase(AbortSignal.abort(new Error('over')));
    await expect(outcome).rejects.toThrow('over');
    expect(clock.pending()).toBe(0);
  });

  test('that fails after the deadline causes no unhandled rejection', async () => {
    const { clock, work, outcome } = aPhase();
    clock.advance(1000);
    await expect(outcome).rejects.toMatchObject({ code: 'proxmox_timeout' });
    work.reject(new Error('late and unheard'));
    await new Promise((resolve) => setImmediate(resolve)); // an unhandled rejection would fail this test
  });
});
