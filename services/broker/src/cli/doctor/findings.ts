/** How bad it is: with a fault people are kept out, a warning waits for its day. */
export type Level = 'fault' | 'warning';

/** Everything that the doctor can find, in the order in which it looks, each with what to do about it. */
export const findingKinds = {
  config_faulty: {
    level: 'fault',
    remedy: 'Mend the configuration; docs/configuration.md names every setting.',
  },
  memory_only: {
    level: 'warning',
    remedy:
      'Set redis.url. Without Redis everything is in the memory of one process, for one lab and no more.',
  },
  store_unreachable: {
    level: 'fault',
    remedy:
      'Start Redis, or mend redis.url, the firewall or the NetworkPolicy between. A Redis without TLS says nothing to rediss://.',
  },
  store_tls: {
    level: 'fault',
    remedy:
      'Set redis.caFile to the CA of Redis, redis.serverName to a name in its certificate, and use rediss:// where it speaks TLS.',
  },
  store_credential: {
    level: 'fault',
    remedy: 'Mend redis.username and redis.passwordFile.',
  },
  store_permission: {
    level: 'fault',
    remedy: 'Give the user of Redis what docs/redis.md lists.',
  },
  store_evicts: {
    level: 'fault',
    remedy:
      'Set maxmemory-policy noeviction in Redis: otherwise it throws sign-ins and sessions away when it is full.',
  },
  store_clock: {
    level: 'warning',
    remedy: 'Run NTP on this host and on that of Redis.',
  },
  proxmox_unreachable: {
    level: 'fault',
    remedy: 'Mend clusters[].urls, DNS, the firewall, or ALLOW_FROM in /etc/default/pveproxy.',
  },
  proxmox_certificate: {
    level: 'fault',
    remedy:
      'Set tls.caFile to /etc/pve/pve-root-ca.pem of the cluster, or tls.fingerprints to what `pvenode cert info` shows.',
  },
  proxmox_insecure: {
    level: 'warning',
    remedy:
      'Set tls.caFile or tls.fingerprints instead of tls.insecureSkipVerify: anybody between could read the token.',
  },
  proxmox_credential: {
    level: 'fault',
    remedy:
      'Mend the credential: user@realm!name and its secret, a token that is not expired, a user that is enabled.',
  },
  proxmox_no_rights: {
    level: 'fault',
    remedy:
      'A token with privilege separation has none of its owner’s rights: pveum acl modify / --tokens TOKEN --roles Porthole.',
  },
  proxmox_no_console: {
    level: 'fault',
    remedy:
      'Give the relays’ credential VM.Console on the machines: pveum role modify Porthole --privs VM.Console --append 1.',
  },
  proxmox_no_audit: {
    level: 'fault',
    remedy:
      'Give the credential VM.Audit on the machines: pveum role modify Porthole --privs VM.Audit --append 1.',
  },
  proxmox_no_power: {
    level: 'warning',
    remedy: 'A rule gives power: give the broker’s credential VM.PowerMgmt, or take power out of the rules.',
  },
  proxmox_no_nodes: {
    level: 'warning',
    remedy:
      'Give the credential Sys.Audit on /, or name the nodes in clusters[].nodes; until then all consoles go through one node.',
  },
  proxmox_no_shell: {
    level: 'warning',
    remedy: 'nodeShells is on: give the relays’ credential Sys.Console on /nodes, or turn it off.',
  },
  proxmox_no_machines: {
    level: 'warning',
    remedy: 'Give the credential its rights where the machines are: on /, on /vms, or on their pool.',
  },
  proxmox_clock: {
    level: 'warning',
    remedy: 'Run NTP on this host and on that node: tickets for consoles count for seconds.',
  },
  node_unreachable: {
    level: 'fault',
    remedy:
      'Relays open consoles at each node: let them reach its port 8006, or name its address in clusters[].nodes.',
  },
  node_certificate: {
    level: 'fault',
    remedy:
      'Its certificate is none of this cluster’s CA: renew it with pvecm updatecerts --force, or set tls.fingerprints of all nodes.',
  },
  issuer_away: {
    level: 'fault',
    remedy:
      'Mend signIn.oidc[].issuer (it must be as the issuer calls itself), its caFile, or the way there.',
  },
  relay_away: {
    level: 'fault',
    remedy:
      'Start relays, and let what stands in front pass WebSockets on /relay/ to them: docs/fronts.md, docs/network.md.',
  },
  relay_refuses: {
    level: 'fault',
    remedy:
      '4401: relays need the same Redis and grant keys. Else docs/troubleshooting.md has every code; its cause is in the relay’s log.',
  },
} as const satisfies Readonly<Record<string, { readonly level: Level; readonly remedy: string }>>;

export type FindingKind = keyof typeof findingKinds;

export interface Finding {
  readonly kind: FindingKind;
  /** Which part: `redis`, `cluster lab`, `cluster lab, node pve2`. */
  readonly where: string;
  /** What was seen. Never a secret. */
  readonly what: string;
}
