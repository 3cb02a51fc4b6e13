import { classLimits } from '@porthole/shared/class/limits';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { ConsoleSignals } from '@porthole/shared/session/signals';
import type { RateLimits } from '@porthole/shared/store/ports';
import type { RelayMetrics } from '../metrics.ts';

export interface AskControlDeps {
  readonly signals: Pick<ConsoleSignals, 'publish'>;
  readonly rateLimits: Pick<RateLimits, 'spend'>;
  readonly metrics: Pick<RelayMetrics, 'controlAsked'>;
}

/** Requests of one user. */
const perMinute = 10;

/**
 * Asks the session that has control to hand it back. `holder` is undefined if the user can type, or may not ask.
 * If the signal is lost, the user asks again.
 */
export function askControl(
  { signals, rateLimits, metrics }: AskControlDeps,
  { id, name, displayName }: GrantClaims['user'],
  holder: string | undefined,
): void {
  if (holder === undefined) return;
  const by = (displayName ?? name).slice(0, classLimits.name) || id.slice(0, classLimits.name);
  void rateLimits
    .spend(`ask-control/user/${id}`, perMinute, 60)
    .then(() => signals.publish({ type: 'ask_control', sessionId: holder, by }))
    .then(
      () => metrics.controlAsked('sent'),
      () => metrics.controlAsked('refused'),
    );
}
