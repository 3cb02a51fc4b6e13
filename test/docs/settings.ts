/** What each setting of the configuration means, for docs/configuration.md. The schema says which there are. */
export const meanings: Readonly<Record<string, string>> = {
  publicUrl:
    'The URL under which browsers reach Porthole. https, except on localhost; a host of its own, no path.',
  relayUrl: "The relays' URL, when they are not below `publicUrl`. https is read as wss.",
  allowedOrigins: "Origins of other sites whose pages may open consoles. Porthole's own always may.",
  listen: 'Address of the public port: pages, API and consoles. Plain HTTP: TLS ends at the proxy in front.',
  operationsListen: 'Address of the operations port: `/metrics`, `/livez`, `/readyz`. Keep it inside.',
  trustedProxies:
    'How many proxies stand in front, each of which appends to `X-Forwarded-For`. With a wrong number, limits by address count the wrong one.',
  logLevel: '`debug`, `info`, `warn`, `error` or `silent`.',
  instance:
    'A name for this process that no other bears, shown in lists of consoles; on Kubernetes the name of its pod. Without it, one is made up.',
  'kubernetes.namespace': 'Where relays and brokers run. Without it, the namespace of the pod.',
  'kubernetes.leaseName': 'The Lease by which the brokers choose the one that acts for all.',
  'kubernetes.relaySelector':
    'Labels of the pods of the relays, `a=b,c=d`, whose `instance` must be the name of the pod.',
  grantKeys:
    'Keys that broker and relay share, at least 32 characters each, separated by blanks or commas. The first seals, all of them open. Needed with Redis.',
  'redis.url': '`redis://` or `rediss://` (TLS). Without Redis everything is in the memory of one process.',
  'redis.password': 'Password for Redis.',
  'tracing.endpoint':
    'URL of an OpenTelemetry collector (OTLP over HTTP, `http://collector:4318`) that gets [traces](tracing.md).',
  'tracing.sampleRatio': 'Which part of all traces is recorded, from 0 to 1.',
  'redis.caFile': 'PEM file of the CA that signed the certificate of Redis, where that is not a public one.',
  'clusters[].name': 'Name of the cluster in URLs, rules and logs: small letters, digits, dashes.',
  'clusters[].urls':
    'Entry points, `https://host:8006`, one or several: any nodes. They are asked in turn until one answers.',
  'clusters[].nodes':
    'Addresses of nodes by name, `pve1: https://10.0.0.1:8006`, where those that Proxmox itself names can not be reached.',
  'clusters[].credential.token': 'API token, `user@realm!name`.',
  'clusters[].credential.secret': "The token's secret.",
  'clusters[].credential.username': 'Account, `user@realm`, instead of a token.',
  'clusters[].credential.password': "The account's password.",
  'clusters[].brokerCredential':
    'Like `credential`, for the broker alone. It needs VM.Audit, and Pool.Audit for rules with pools.',
  'clusters[].relayCredential':
    'Like `credential`, for the relays alone. They need VM.Console, VM.Audit and Sys.Audit.',
  'clusters[].tls.caFile':
    'PEM file of the CA that is trusted instead of the public ones: `/etc/pve/pve-root-ca.pem` of any node.',
  'clusters[].tls.fingerprints':
    'SHA-256 fingerprints of certificates, `AA:BB:…`, one or several, instead of a CA. They change when Proxmox renews its certificates.',
  'clusters[].tls.postQuantum':
    '`true` also offers X25519MLKEM768 to Proxmox (PVE 9 knows it), for 13 KiB more of memory per console.',
  'clusters[].tls.insecureSkipVerify': '`true` checks no certificate. For a first try only.',
  'clusters[].opensPerNode':
    'Consoles that are opened at one node at the same time; the others wait in line.',
  'signIn.local.usersFile':
    'File with the local users, which `npm run user` writes. Read again when it changes.',
  'access[].name': 'Shown in explanations and logs.',
  'access[].who.users': 'Names of users.',
  'access[].who.groups': 'Names of groups.',
  'access[].who.everyone': '`true`: everybody who is signed in.',
  'access[].which.clusters': 'Names of clusters.',
  'access[].which.nodes': 'Names of nodes.',
  'access[].which.pools': 'Names of pools.',
  'access[].which.tags': 'Tags.',
  'access[].which.vmids': 'Numbers, and ranges such as `"200-299"`.',
  'access[].which.names':
    'Patterns of names: `*` for any characters, `?` for one, `{user}` for the name of who asks.',
  'access[].which.all': '`true`: every machine.',
  'access[].allow': '`view`, `control` (which includes `view`).',
  'limits.sessionSeconds': 'Seconds that one console may last, at most a week.',
  'limits.idleSeconds': 'Seconds without key, pointer or paste after which a console ends.',
  'limits.extendSeconds':
    'Seconds that somebody gets who asks for more time, if `maxSessionSeconds` allows it.',
  'limits.maxSessionSeconds':
    'Seconds that one console may last with all extensions. Without it, nobody can ask for more time.',
  'limits.consolesPerUser': 'Consoles that one user may have open at a time.',
  'limits.consolesPerMachine': 'Consoles that one machine may have open at a time; QEMU takes 32.',
  'limits.consolesPerRelay': 'Consoles that one relay carries.',
  'limits.waitingPerRelay': 'People that may wait in line at one relay.',
  'limits.queueSeconds': 'Seconds that somebody waits in line.',
  'limits.signInsPerMinute': 'Sign-in tries per minute of one user name.',
  'limits.signInsPerAddressPerMinute':
    'Sign-in tries per minute from one address. A whole class may sit behind one.',
  'limits.grantsPerMinute': 'Consoles that one user may ask for per minute.',
  'limits.upgradesPerMinute': 'WebSockets per minute from one address. A whole school may sit behind one.',
  'audit.to': 'Where [audit](audit.md) lines go: `stdout`, `file`, or `none`.',
  'audit.file': 'The file for `to: file`. Lines are appended; it may be truncated while it is written.',
  'limits.drainSeconds':
    'Seconds over which a relay that leaves sends its consoles to others, at most ten minutes. See [drain](drain.md).',
};
