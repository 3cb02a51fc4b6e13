import type { ClusterConfig } from '../config/schema.ts';
import type { Log } from '../telemetry/log.ts';

/** Says at every start which clusters nobody verifies, so that a first try does not become how it is run. */
export function warnAboutInsecureTls(clusters: readonly ClusterConfig[], log: Pick<Log, 'warn'>): void {
  for (const { name, tls } of clusters)
    if (tls.insecureSkipVerify)
      log.warn(
        { cluster: name },
        'insecureSkipVerify is on: whoever sits between Porthole and Proxmox can read the credential and every console',
      );
}
