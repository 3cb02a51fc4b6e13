import type { Clock } from '@porthole/shared/time/clock';
import type { Config } from '@porthole/shared/config/schema';
import { asPortholeError } from '@porthole/shared/errors';
import { createIssuer } from '../../sign-in/oidc/issuer.ts';
import { checkCluster, type ClusterRole } from './check-cluster.ts';
import { checkRelay } from './check-relay.ts';
import { checkStore } from './check-store.ts';
import type { Finding } from './findings.ts';

export interface CheckDeps {
  readonly clock: Clock;
  /** A name that nobody else uses, for keys of a moment. */
  readonly name: string;
  /** Milliseconds for each call to Proxmox. */
  readonly timeoutMs: number;
  /** Where a relay is, if one is to be asked. */
  readonly relay: string | undefined;
}

/** Looks at everything that the services will need, at the same time. */
export async function runChecks(config: Config, deps: CheckDeps): Promise<readonly Finding[]> {
  const found = await Promise.all([
    checkStore(config, deps),
    deps.relay === undefined ? [] : checkRelay(config, deps.relay, deps),
    ...rolesIn(config).map((role) => checkCluster(role, deps)),
    ...(config.signIn.oidc ?? []).map(async (issuer): Promise<readonly Finding[]> => {
      try {
        await createIssuer(issuer).configuration();
        return [];
      } catch (error) {
        const { detail, message } = asPortholeError(error);
        return [{ kind: 'issuer_away', where: `issuer ${issuer.name}`, what: detail ?? message }];
      }
    }),
  ]);
  return found.flat();
}

/** A credential that both services use is looked at once. */
function rolesIn(config: Config): readonly ClusterRole[] {
  const rules = [...(config.access ?? []), ...(config.classes ?? [])];
  const powers = rules.some(({ allow }) => allow.includes('power'));
  return config.clusters.flatMap((cluster): readonly ClusterRole[] => {
    const broker = cluster.brokerCredential ?? cluster.credential;
    const relay = cluster.relayCredential ?? cluster.credential;
    if (broker === relay) return [{ cluster, credential: broker, lists: true, powers, opens: true }];
    return [
      { cluster, credential: broker, lists: true, powers, opens: false },
      { cluster, credential: relay, lists: false, powers: false, opens: true },
    ];
  });
}
