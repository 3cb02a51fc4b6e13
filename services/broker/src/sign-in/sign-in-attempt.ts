import type { Audit } from '@porthole/shared/audit/audit';
import type { Limits } from '@porthole/shared/config/schema';
import { asPortholeError } from '@porthole/shared/errors';
import { addressKey } from '@porthole/shared/http/address-key';
import type { RateLimits } from '@porthole/shared/store/ports';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Context } from '../http/context.ts';
import type { BrokerMetrics } from '../metrics.ts';
import { methodKindOf, providerOf, type Logins } from './logins/logins.ts';

/** What every sign-in method needs to handle an attempt. */
export interface SignInAttemptDeps {
  readonly logins: Logins;
  readonly rateLimits: RateLimits;
  readonly limits: Pick<Limits, 'signInsPerMinute' | 'signInsPerAddressPerMinute'>;
  readonly metrics: Pick<BrokerMetrics, 'signIn'>;
  readonly audit: Audit;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
}

/** Runs a sign-in attempt, and records its result in the metrics and a refusal also in the log and the audit. */
export async function recordAttempt<T>(
  deps: Pick<SignInAttemptDeps, 'metrics' | 'audit' | 'log'>,
  ctx: Context,
  method: string,
  attempt: () => Promise<T>,
  /** Returns false if another step follows, which is recorded by itself. */
  isComplete: (result: T) => boolean = () => true,
): Promise<T> {
  try {
    const result = await attempt();
    if (isComplete(result)) deps.metrics.signIn(methodKindOf(method), 'ok');
    return result;
  } catch (thrown) {
    const { code, detail } = asPortholeError(thrown);
    const { user, requestId } = ctx.state;
    deps.metrics.signIn(methodKindOf(method), code);
    deps.log.warn(
      { event: 'sign_in_refused', method, user: user?.id, code, detail, address: ctx.ip },
      'a sign-in was refused',
    );
    deps.audit({
      event: 'sign_in_refused',
      ...(user && { user: { id: user.id, name: user.name } }),
      method: methodKindOf(method),
      ...providerOf(method),
      code,
      address: ctx.ip,
      requestId,
    });
    throw thrown;
  }
}

/** Rejects with `rate_limited` if an address tries too often, whatever names it tries. */
export function limitByAddress(
  { rateLimits, limits }: Pick<SignInAttemptDeps, 'rateLimits' | 'limits'>,
  address: string,
): Promise<void> {
  return rateLimits.spend(`sign-in/address/${addressKey(address)}`, limits.signInsPerAddressPerMinute, 60);
}

/** Rejects with `rate_limited` if a name is tried too often, from whatever addresses. */
export function limitByName(
  { rateLimits, limits }: Pick<SignInAttemptDeps, 'rateLimits' | 'limits'>,
  name: string,
): Promise<void> {
  return rateLimits.spend(`sign-in/name/${name.normalize('NFC').toLowerCase()}`, limits.signInsPerMinute, 60);
}
