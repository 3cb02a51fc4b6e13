import type { KubeConfig } from '@kubernetes/client-node';

/** Fills a configuration with the fake API server and a token, as a mounted service account does. */
export function pointAt(config: KubeConfig, url: string, token = 't'): void {
  config.loadFromOptions({
    clusters: [{ name: 'c', server: url, skipTLSVerify: true }],
    users: [{ name: 'u', token }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
}
