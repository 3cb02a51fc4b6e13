import type { ClassStates } from '@porthole/shared/class/class-states';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { ClientMessage } from '@porthole/shared/protocol/control-messages';
import type { RateLimits } from '@porthole/shared/store/ports';
import type { Clock } from '@porthole/shared/time/clock';
import type { ClassMetrics } from '../class-metrics.ts';

export interface RaiseHandDeps {
  readonly states: Pick<ClassStates, 'help' | 'announce'>;
  readonly rateLimits: Pick<RateLimits, 'spend'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly metrics: Pick<ClassMetrics, 'helpRequest'>;
}

type HelpMessage = Extract<ClientMessage, { readonly type: 'help' }>;

/** Requests of one user. */
const perMinute = 20;

/**
 * Raises or lowers the user's hand in these classes. Rejects with `rate_limited` or `store_unavailable`;
 * then nothing or not everything has changed.
 */
export async function raiseHand(
  deps: RaiseHandDeps,
  classNames: readonly string[],
  { id, name, displayName }: GrantClaims['user'],
  { raised, text = '' }: HelpMessage,
): Promise<void> {
  const { states, clock, metrics } = deps;
  try {
    await deps.rateLimits.spend(`help/user/${id}`, perMinute, 60);
    const user = { id, name, ...(displayName === undefined ? {} : { displayName }) };
    const since = clock.now();
    await Promise.all(
      classNames.map(async (className) => {
        if (raised) await states.help.raise(className, { version: 1, user, since, text });
        else await states.help.lower(className, id);
        await states.announce(className);
      }),
    );
    metrics.helpRequest(raised ? 'raised' : 'lowered');
  } catch (error) {
    metrics.helpRequest('refused');
    throw error;
  }
}
