import type { Clock } from '@porthole/shared/time/clock';
import type { Config } from '@porthole/shared/config/schema';
import { systemRandom } from '@porthole/shared/crypto/random';
import { asPortholeError } from '@porthole/shared/errors';
import { readAccessDocument } from '../../access/rules.ts';
import { createIssuer } from '../../sign-in/oidc/issuer.ts';
import { checkCluster, type ClusterRole } from './check-cluster.ts';
import { checkRecordings } from './check-recordings.ts';
import { checkRelay } from './check-relay.ts';
import { checkStore } from './check-store.ts';
import type { Finding } from './findings.ts';

export interface CheckDeps {
  readonly clock: Clock;
  /** A unique name for temporary keys in the store. */
  readonly name: string;
  /** Milliseconds for each call to Proxmox. */
  readonly timeoutMs: number;
  /** URL of a relay to check. */
  readonly relay: string | undefined;
}

/** Runs all checks concurrently. */
export async function runChecks(config: Config, deps: CheckDeps): Promise<readonly Finding[]> {
  const found = await Promise.all([
    checkStore(config, deps),
    checkRecordings(config, { ...deps, random: systemRandom }),
    deps.relay === undefined ? [] : checkRelay(config, deps.relay, deps),
    ...rolesIn(config).map((role) => checkCluster(role, deps)),
    ...(config.signIn.oidc ?? []).map(async (issuer): Promise<readonly Finding[]> => {
      try {
        await createIssuer(issuer).configuration();
        return [];
      } catch (error) {
        const { detail, message } = asPortholeError(error);
        return [{ kind: 'issuer_unreachable', where: `issuer ${issuer.name}`, what: detail ?? message }];
      }
    }),
  ]);
  return found.flat();
}

/** Checks a credential once if both services use it. */
function rolesIn(config: Config): readonly ClusterRole[] {
  const { access = [], classes = [] } = readAccessDocument(config) ?? {};
  const rules = [...access, ...classes];
  const powers =
    rules.some(({ allow }) => allow.includes('power')) ||
    classes.some(({ prepare, after }) => prepare !== undefined || after !== undefined);
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
