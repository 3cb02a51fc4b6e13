import type { ClusterConfig } from '../config/schema.ts';
import type { Log } from '../telemetry/log.ts';

/** Logs a warning at each start for each cluster whose certificates are not verified. */
export function warnAboutInsecureTls(clusters: readonly ClusterConfig[], log: Pick<Log, 'warn'>): void {
  for (const { name, tls } of clusters)
    if (tls.insecureSkipVerify)
      log.warn(
        { cluster: name },
        'insecureSkipVerify is on: an attacker between Porthole and Proxmox can read the credential and all consoles',
      );
}
