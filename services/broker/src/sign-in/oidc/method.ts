import * as oidc from 'openid-client';
import type { Clock } from '@porthole/shared/time/clock';
import type { OidcConfig } from '@porthole/shared/config/sign-in-schema';
import { asPortholeError } from '@porthole/shared/errors';
import type { Log } from '@porthole/shared/telemetry/log';
import { leaseNames } from '@porthole/shared/store/keys';
import type { LeaseStore } from '@porthole/shared/store/ports';
import type { Login } from '../login-sessions.ts';
import type { LoginMethod } from '../method.ts';
import type { Issuer } from './issuer.ts';
import { oidcFacts, userOfPerson, type OidcFacts } from './person.ts';
import { factsOf, methodOf } from './steps.ts';

/** Milliseconds for which one broker asks and the others wait with asking. */
const recheckLease = 30_000;

export interface OidcMethodDeps {
  readonly config: OidcConfig;
  readonly issuer: Issuer;
  readonly leases: Pick<LeaseStore, 'tryAcquire'>;
  readonly publicUrl: URL;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Ends a sign-in that the issuer no longer knows, and its consoles. */
  readonly revoke: (login: Login) => Promise<void>;
}

/**
 * Who signed in at an issuer. Where it gives refresh tokens it is asked every few minutes whether all is still so:
 * whoever was locked out or left a group there is so here soon. An issuer that does not answer changes nothing.
 */
export function createOidcMethod(deps: OidcMethodDeps): LoginMethod {
  const { config, clock, log } = deps;
  const name = methodOf(config);

  async function recheck(login: Login, facts: OidcFacts): Promise<OidcFacts | undefined> {
    // One at a time over all brokers, since a refresh token that is used twice is taken for stolen. Nobody lets go
    // before its time, so an issuer that is away is asked twice a minute at most.
    if (
      !(await deps.leases.tryAcquire(
        leaseNames.refreshLogin(login.ref),
        login.ref + clock.now(),
        1,
        recheckLease,
      ))
    )
      return facts;
    const latest = await login.again();
    const current = oidcFacts.safeParse(latest?.facts).data;
    if (!latest || !current) return undefined;
    if (current.refreshToken === undefined || !isDue(current)) return current;
    try {
      const issuer = await deps.issuer.configuration();
      const tokens = await oidc.refreshTokenGrant(issuer, current.refreshToken);
      const next = await factsOf(deps, issuer, tokens, current);
      await latest.rewrite(next);
      return next;
    } catch (error) {
      if (isRefusal(error)) {
        log.info({ method: name, login: login.ref }, 'the issuer no longer knows a sign-in');
        await deps.revoke(latest);
        return undefined;
      }
      log.warn({ method: name, code: asPortholeError(error).code }, 'an issuer could not be asked again');
      return current;
    }
  }

  const isDue = ({ checkedAt }: OidcFacts) => clock.now() - checkedAt >= config.refreshSeconds * 1000;

  return {
    name,
    async userOf(login) {
      let facts = oidcFacts.safeParse(login.facts).data;
      if (facts?.refreshToken !== undefined && isDue(facts)) facts = await recheck(login, facts);
      return facts && userOfPerson(name, facts);
    },
    // Without id_token_hint: a token has no place in an address, and by a form the issuer's cookie would not come along.
    // So the issuer may ask whether the person means it (OpenID Connect RP-Initiated Logout 1.0, section 2).
    async farewell() {
      const end = (await deps.issuer.configuration()).serverMetadata().end_session_endpoint;
      if (!config.rpInitiatedLogout || end === undefined) return undefined;
      const url = new URL(end);
      url.searchParams.set('client_id', config.clientId);
      url.searchParams.set('post_logout_redirect_uri', new URL('/?why=signed-out', deps.publicUrl).href);
      return url.href;
    },
  };
}

/** RFC 6749, section 5.2: the token was revoked or has run out. */
function isRefusal(error: unknown): boolean {
  return error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant';
}
