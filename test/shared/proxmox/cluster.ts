import { configSchema, type ClusterConfig } from '@porthole/shared/config/schema';
import { constantSecret } from '@porthole/shared/config/secret';
import {
  createFakeProxmox,
  type FakeProxmox,
  type FakeProxmoxOptions,
} from '../../fakes/proxmox/fake-proxmox.ts';

export const account = { userid: 'porthole@pve', password: 'hunter2' };
export const token = { tokenid: 'porthole@pve!relay', secret: '1b7f0f6e-0000-4000-8000-000000000001' };

/** A fake Proxmox with our account and token, in which no 401 is held back. */
export function aProxmox(options: FakeProxmoxOptions = {}): Promise<FakeProxmox> {
  return createFakeProxmox({
    unauthorizedDelayMs: 0,
    statusRefreshMs: 0,
    users: [{ ...account, acl: { '/': ['VM.Console', 'VM.Audit', 'VM.PowerMgmt', 'Sys.Audit'] } }],
    tokens: [{ ...token, privsep: false }],
    guests: [{ vmid: 100, node: 'pve1', type: 'qemu', name: 'lab-100', running: false }],
    ...options,
  });
}

/** The configuration of a cluster as the schema makes it, by token unless said otherwise. */
export function clusterConfig(
  urls: string | readonly string[],
  caPem: string,
  different: Record<string, unknown> = {},
): ClusterConfig {
  const { clusters } = configSchema.parse({
    clusters: [
      {
        urls,
        credential: { token: token.tokenid, secret: constantSecret(token.secret) },
        tls: { caFile: constantSecret(caPem) },
        ...different,
      },
    ],
    signIn: { local: { usersFile: constantSecret('users: []') } },
  });
  return clusters[0] as ClusterConfig; // one went in
}

export const byPassword = {
  credential: { username: account.userid, password: constantSecret(account.password) },
};
