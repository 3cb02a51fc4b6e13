import { ConfigError } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';
import { validateAccess } from '../access/validate.ts';

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** What the schema can't see: settings that are well-formed and yet can't be meant. Throws with all of them at once. */
export function checkBrokerConfig(config: Config): void {
  const faults = [
    ...faultsOfPublicUrl(config.publicUrl),
    ...faultsOfRelayUrl(config),
    ...validateAccess(config, config.clusters),
    ...faultsOfSignIn(config),
  ];
  if (faults.length > 0) throw new ConfigError(faults);
}

function faultsOfPublicUrl(url: URL): readonly string[] {
  const faults: string[] = [];
  if (url.protocol === 'http:' && !loopback.test(url.hostname))
    faults.push(
      `publicUrl: use https://, because passwords and screens would travel readable; http:// is for localhost only`,
    );
  if (url.pathname !== '/' || url.search !== '')
    faults.push('publicUrl: Porthole needs a host of its own, so there can be no path behind it');
  return faults;
}

function faultsOfRelayUrl({ publicUrl, relayUrl }: Config): readonly string[] {
  return publicUrl.protocol === 'https:' && relayUrl?.protocol === 'ws:'
    ? ['relayUrl: use wss://, because browsers let no https page open a ws:// connection']
    : [];
}

function faultsOfSignIn({ signIn, clusters }: Config): readonly string[] {
  return signIn.proxmox.flatMap(({ cluster }, index) =>
    clusters.some(({ name }) => name === cluster)
      ? []
      : [`signIn.proxmox.${index}.cluster: there is no cluster ${cluster}`],
  );
}
