import { decodeJwt } from 'jose';
import type { Clock } from '@porthole/shared/time/clock';
import type { ServiceAccountsConfig } from '@porthole/shared/config/sign-in-schema';
import { PortholeError } from '@porthole/shared/errors';
import { digest } from '@porthole/shared/store/keys';
import type { ReviewToken } from '../../kubernetes/token-review.ts';
import type { TokenVerifier } from './token-authenticator.ts';

/** Milliseconds for which an answer counts: a deleted account is shut out by then. */
const answerMs = 60_000;
const mostAnswers = 1000;
const prefix = 'system:serviceaccount:';

/** Tokens of service accounts, made for this audience (a projected volume, `kubectl create token --audience`). */
export function createServiceAccountVerifier(deps: {
  readonly config: ServiceAccountsConfig;
  readonly review: ReviewToken;
  readonly clock: Clock;
}): TokenVerifier {
  const { config, clock } = deps;
  const answers = new Map<string, { readonly account: string; readonly until: number }>();

  async function accountOf(token: string): Promise<string | undefined> {
    const key = digest(token);
    const known = answers.get(key);
    if (known && known.until > clock.now()) return known.account;
    answers.delete(key);
    const account = await deps.review(token, config.audience);
    if (account === undefined) return undefined;
    // The oldest makes room.
    for (const oldest of answers.keys()) {
      if (answers.size < mostAnswers) break;
      answers.delete(oldest);
    }
    answers.set(key, { account, until: clock.now() + answerMs });
    return account;
  }

  return async (token) => {
    if (!isServiceAccount(token)) return undefined;
    const account = await accountOf(token);
    const name = account?.startsWith(prefix) ? account.slice(prefix.length) : undefined;
    if (name === undefined || !config.allow.includes(name))
      throw new PortholeError('token_invalid', {
        detail:
          name === undefined
            ? 'Kubernetes does not know the token'
            : `${name} is not among signIn.serviceAccounts.allow`,
      });
    return { id: `serviceaccount:${name}`, name, impersonation: config.impersonation };
  };
}

/** Only to choose who looks at it. */
function isServiceAccount(token: string): boolean {
  try {
    return decodeJwt(token).sub?.startsWith(prefix) ?? false;
  } catch {
    return false;
  }
}
