import { constantSecret } from '@porthole/shared/config/secret';
import type { Store } from '@porthole/shared/store/ports';
import { systemClock, type Clock } from '@porthole/shared/time/clock';
import { startIssuer, type IssuerOptions, type TestIssuer } from '../../../fakes/oidc/issuer.ts';
import { createWalker } from '../../../fakes/oidc/walk.ts';
import { freePort } from '../../../free-port.ts';
import { startBroker, type Rig } from '../../rig.ts';

/** The system clock, which tests can set forward. Its timers take real time. */
export interface MovableClock extends Clock {
  advance(ms: number): void;
}

export function createMovableClock(): MovableClock {
  let offset = 0;
  return {
    now: () => systemClock.now() + offset,
    after: systemClock.after,
    advance: (ms) => void (offset += ms),
  };
}

/** Brokers that share the sign-ins of one provider, and a browser that is signed in as anna. */
export interface OidcRig {
  readonly issuer: TestIssuer;
  readonly clock: MovableClock;
  readonly rigs: readonly Rig[];
  me(broker: number): Promise<Me>;
  signOut(broker: number): Promise<Response>;
}

export interface Me {
  readonly name?: string;
  readonly groups?: readonly string[];
  readonly code?: string;
}

/** Starts a provider that rotates refresh tokens, and one broker for each store. */
export async function startOidcRig(
  openStores: (clock: Clock) => readonly Store[] | Promise<readonly Store[]>,
  options: Partial<IssuerOptions> = {},
): Promise<OidcRig> {
  const clock = createMovableClock();
  const stores = await openStores(clock);
  const ports = await Promise.all(stores.map(() => freePort()));
  const origins = ports.map((port) => `http://127.0.0.1:${port}`);
  const publicUrl = origins[0] ?? '';
  const issuer = await startIssuer({
    accounts: [anna('class-a')],
    redirectUris: [`${publicUrl}/api/v1/login/oidc/school/callback`],
    rotateRefreshTokens: true,
    ...options,
  });
  const oidc = {
    name: 'school',
    issuer: issuer.url,
    clientId: issuer.clientId,
    clientSecret: constantSecret(issuer.clientSecret),
    scopes: ['openid', 'profile', 'groups'],
  };
  const rigs: Rig[] = [];
  for (const [index, store] of stores.entries()) {
    const listen = `127.0.0.1:${ports[index]}`;
    rigs.push(await startBroker({ clock, store, config: { publicUrl, listen, signIn: { oidc: [oidc] } } }));
  }
  const walker = createWalker(issuer.url);
  await walker.walk(`${publicUrl}/api/v1/login/oidc/school`, { sub: 'anna-1' });
  const cookie = [...walker.cookies(publicUrl)].map((pair) => pair.join('=')).join('; ');
  const headers = { cookie, 'sec-fetch-site': 'same-origin' };
  return {
    issuer,
    clock,
    rigs,
    async me(broker) {
      const response = await fetch(`${origins[broker]}/api/v1/me`, { headers });
      const { user, code } = (await response.json()) as { user?: Me; code?: string };
      return user ?? { code: code ?? '' };
    },
    signOut: (broker) => fetch(`${origins[broker]}/api/v1/logout`, { method: 'POST', headers }),
  };
}

export function anna(...groups: readonly string[]) {
  return { sub: 'anna-1', claims: { preferred_username: 'anna', groups } };
}
