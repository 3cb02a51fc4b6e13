import { ConfigError } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';
import { toolKeysError } from '../lti/tool-keys.ts';
import { validateAccess } from '../access/validate.ts';

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Checks settings that are valid by themselves and invalid together. Throws ConfigError with all errors. */
export function checkBrokerConfig(config: Config): void {
  const errors = [
    ...publicUrlErrors(config.publicUrl),
    ...relayUrlErrors(config),
    ...validateAccess(config, config.clusters),
    ...signInErrors(config),
    ...ltiErrors(config),
  ];
  if (errors.length > 0) throw new ConfigError(errors);
}

function publicUrlErrors(url: URL): readonly string[] {
  return url.protocol === 'http:' && !loopback.test(url.hostname)
    ? [
        'publicUrl: use https://, because http:// sends passwords and screens unencrypted; http:// is for localhost only',
      ]
    : [];
}

function relayUrlErrors({ publicUrl, relayUrl }: Config): readonly string[] {
  return publicUrl.protocol === 'https:' && relayUrl?.protocol === 'ws:'
    ? ['relayUrl: use wss://, because browsers do not let https pages open ws:// connections']
    : [];
}

function signInErrors({ signIn, clusters }: Config): readonly string[] {
  return signIn.proxmox.flatMap(({ cluster }, index) =>
    clusters.some(({ name }) => name === cluster)
      ? []
      : [`signIn.proxmox.${index}.cluster: there is no cluster ${cluster}`],
  );
}

function ltiErrors({ lti }: Config): readonly string[] {
  const error = lti && toolKeysError(lti.toolKeys());
  return error === undefined ? [] : [`lti.toolKeys: ${error}`];
}
