import { PortholeError } from '@porthole/shared/errors';
import { sleep, type Clock } from '@porthole/shared/time/clock';
import type { ScreenUpstream } from '../screen/shared-screen-contract.ts';
import type { OwnConsole } from './own-console.ts';

/** How long a viewer may need to complete its handshake, get its resume token, or finish a message. */
const maxWaitMs = 2000;
const retryMs = 25;

/**
 * Takes over the console of a session, which resumes at the shared screen. Passes it to `connect` in the same step.
 * Resolves with false if the session keeps its console.
 */
export async function takeOverConsole(
  own: OwnConsole,
  {
    clock,
    signal,
    connect,
  }: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly connect: (upstream: ScreenUpstream) => Promise<void>;
  },
): Promise<boolean> {
  const until = clock.now() + maxWaitMs;
  for (;;) {
    const answer = own.handsOver();
    if (answer === 'now') {
      await connect(own.handOver(new PortholeError('screen_shared')));
      return true;
    }
    if (answer === 'never' || clock.now() >= until) return false;
    await sleep(clock, retryMs, signal);
  }
}
