/** An error prevents users from working. A warning can become an error later. */
export type Level = 'error' | 'warning';

/** All findings and their remedies, in the order of the checks. */
export const findingKinds = {
  config_invalid: {
    level: 'error',
    remedy: 'Correct the setting. docs/configuration.md lists all settings.',
  },
  memory_only: {
    level: 'warning',
    remedy:
      'Set redis.url. Without Redis all state is in the memory of one process, so you can run only one.',
  },
  store_unreachable: {
    level: 'error',
    remedy:
      'Start Redis, or correct redis.url, the firewall or the NetworkPolicy. A Redis without TLS does not answer rediss://.',
  },
  store_tls: {
    level: 'error',
    remedy:
      'Set redis.caFile to the CA of Redis and redis.serverName to a name in its certificate. Use rediss:// only if Redis uses TLS.',
  },
  store_credential: {
    level: 'error',
    remedy: 'Correct redis.username and redis.passwordFile.',
  },
  store_permission: {
    level: 'error',
    remedy: 'Grant the Redis user the permissions that docs/redis.md lists.',
  },
  store_evicts: {
    level: 'error',
    remedy:
      'Set maxmemory-policy noeviction in Redis. Otherwise Redis deletes sign-ins and sessions when its memory is full.',
  },
  store_clock: {
    level: 'warning',
    remedy: 'Run NTP on this host and on the Redis host.',
  },
  proxmox_unreachable: {
    level: 'error',
    remedy: 'Correct clusters[].urls, DNS, the firewall, or ALLOW_FROM in /etc/default/pveproxy.',
  },
  proxmox_certificate: {
    level: 'error',
    remedy:
      "Set tls.caFile to a copy of this cluster's own /etc/pve/pve-root-ca.pem, or tls.fingerprints to the output of `pvenode cert info`.",
  },
  certificate_name: {
    level: 'error',
    remedy:
      'Use a name or address of the certificate in clusters[].urls and clusters[].nodes. Proxmox issues certificates for the name and the addresses of the node, and for a name with a domain only if the node has a search domain.',
  },
  certificate_validity: {
    level: 'error',
    remedy: 'Renew the certificate with pvecm updatecerts --force, or correct the clock of this host.',
  },
  certificate_fingerprint: {
    level: 'error',
    remedy:
      'If `pvenode cert info` on the node shows the same fingerprint, add it to tls.fingerprints: it changes when the certificate is renewed. Otherwise, another host answers in place of the node.',
  },
  proxmox_insecure: {
    level: 'warning',
    remedy:
      'Set tls.caFile or tls.fingerprints instead of tls.insecureSkipVerify. Otherwise an attacker in the network can read the token.',
  },
  proxmox_credential: {
    level: 'error',
    remedy:
      'Check the token (user@realm!name), its secret and its expiry date, and that the user is enabled.',
  },
  proxmox_no_rights: {
    level: 'error',
    remedy:
      'Grant the token a role, because privilege separation excludes the permissions of its user: pveum acl modify / --tokens TOKEN --roles Porthole.',
  },
  proxmox_no_console: {
    level: 'error',
    remedy:
      'Grant VM.Console on the machines to the credential of the relays: pveum role modify Porthole --privs VM.Console --append 1.',
  },
  proxmox_no_audit: {
    level: 'error',
    remedy:
      'Grant VM.Audit on the machines to the credential: pveum role modify Porthole --privs VM.Audit --append 1.',
  },
  proxmox_no_power: {
    level: 'warning',
    remedy:
      'Grant VM.PowerMgmt to the credential of the broker, or remove power from the access rules, and prepare and after from the classes.',
  },
  proxmox_no_nodes: {
    level: 'warning',
    remedy:
      'Grant Sys.Audit on / to the credential, or set clusters[].nodes. Otherwise all consoles go through one node.',
  },
  proxmox_no_shell: {
    level: 'warning',
    remedy: 'Grant Sys.Console on /nodes to the credential of the relays, or set nodeShells: false.',
  },
  proxmox_no_machines: {
    level: 'warning',
    remedy: 'Grant the permissions where the machines are: on /, on /vms, or on their pool.',
  },
  proxmox_clock: {
    level: 'warning',
    remedy: 'Run NTP on this host and on the node. Console tickets are valid for seconds only.',
  },
  node_unreachable: {
    level: 'error',
    remedy:
      'Let relays reach port 8006 of each node, or set its address in clusters[].nodes. Relays open consoles at the node of the machine.',
  },
  node_certificate: {
    level: 'error',
    remedy:
      'Renew the certificate with pvecm updatecerts --force, or set tls.fingerprints for all nodes. The CA of the cluster has not issued it.',
  },
  issuer_unreachable: {
    level: 'error',
    remedy:
      'Correct signIn.oidc[].issuer, which must be exactly as the issuer names itself, or its caFile, DNS or the firewall.',
  },
  recordings_required: {
    level: 'error',
    remedy: 'Configure recordings, or remove record from the rule. Until then, its consoles do not open.',
  },
  recordings_unavailable: {
    level: 'error',
    remedy:
      'Correct recordings.storage, DNS, the firewall or the NetworkPolicy (recordings.s3.egressTo of the chart). For a private CA, set caFile.',
  },
  recordings_denied: {
    level: 'error',
    remedy:
      'Correct the access key, and let it list the bucket, and get, put and delete its objects. A directory must belong to the user of broker and relay.',
  },
  recordings_missing: {
    level: 'error',
    remedy: 'Create the bucket or directory of recordings.storage. Porthole does not create it.',
  },
  recordings_full: {
    level: 'error',
    remedy: 'Enlarge the volume or the quota of the storage of recordings, or delete recordings.',
  },
  relay_unreachable: {
    level: 'error',
    remedy:
      'Start relays, and let the reverse proxy forward WebSockets on /relay/ to them: docs/fronts.md, docs/network.md.',
  },
  relay_refused: {
    level: 'error',
    remedy:
      '4401: give relays the same Redis and grant keys. For other codes, see docs/troubleshooting.md and the log of the relay.',
  },
} as const satisfies Readonly<Record<string, { readonly level: Level; readonly remedy: string }>>;

export type FindingKind = keyof typeof findingKinds;

export interface Finding {
  readonly kind: FindingKind;
  /** `redis`, `cluster lab`, or `cluster lab, node pve2`. */
  readonly where: string;
  /** The problem. Never contains a secret. */
  readonly what: string;
}
