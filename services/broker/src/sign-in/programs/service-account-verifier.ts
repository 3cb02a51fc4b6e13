import { decodeJwt } from 'jose';
import type { ServiceAccountsConfig } from '@porthole/shared/config/sign-in-schema';
import { PortholeError } from '@porthole/shared/errors';
import { digest } from '@porthole/shared/store/keys';
import type { Clock } from '@porthole/shared/time/clock';
import type { ReviewToken } from '../../kubernetes/token-review.ts';
import { compileImpersonation } from './impersonation-policy.ts';
import type { TokenVerifier } from './token-authenticator.ts';

/** Milliseconds for which a review is cached. A deleted service account loses access after this time. */
const cacheMs = 60_000;
const maxCached = 1000;
const prefix = 'system:serviceaccount:';

/** Verifies tokens of service accounts for this audience (projected volume, `kubectl create token --audience`). */
export function createServiceAccountVerifier(deps: {
  readonly config: ServiceAccountsConfig;
  readonly review: ReviewToken;
  readonly clock: Pick<Clock, 'now'>;
}): TokenVerifier {
  const { config } = deps;
  const impersonation = compileImpersonation(config.impersonation);
  const accountOf = cacheReviews(deps);

  return async (token) => {
    if (!claimsServiceAccount(token)) return undefined;
    const account = await accountOf(token);
    const name = account?.startsWith(prefix) ? account.slice(prefix.length) : undefined;
    if (name === undefined)
      throw new PortholeError('token_invalid', { detail: 'Kubernetes rejected the token' });
    if (!config.allow.includes(name))
      throw new PortholeError('token_invalid', {
        detail: `${name} is not in signIn.serviceAccounts.allow`,
      });
    const id = `serviceaccount:${name}`;
    return { id, name, impersonate: impersonation(id) };
  };
}

/** Caches the accounts of tokens that Kubernetes accepted. Rejected tokens are reviewed each time. */
function cacheReviews({
  config,
  review,
  clock,
}: {
  readonly config: Pick<ServiceAccountsConfig, 'audience'>;
  readonly review: ReviewToken;
  readonly clock: Pick<Clock, 'now'>;
}): (token: string) => Promise<string | undefined> {
  const cached = new Map<string, { readonly account: string; readonly until: number }>();
  return async (token) => {
    const key = digest(token);
    const known = cached.get(key);
    if (known && known.until > clock.now()) return known.account;
    cached.delete(key);
    const reviewedAt = clock.now();
    const account = await review(token, config.audience);
    if (account === undefined) return undefined;
    for (const oldest of cached.keys()) {
      if (cached.size < maxCached) break;
      cached.delete(oldest);
    }
    cached.set(key, { account, until: reviewedAt + cacheMs });
    return account;
  };
}

/** Reads an unverified token. Use it only to choose the verifier. */
function claimsServiceAccount(token: string): boolean {
  try {
    return decodeJwt(token).sub?.startsWith(prefix) ?? false;
  } catch {
    return false;
  }
}
