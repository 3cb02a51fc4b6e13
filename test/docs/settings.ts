/** What each setting of the configuration means, for docs/configuration.md. The schema says which there are. */
export const meanings: Readonly<Record<string, string>> = {
  publicUrl:
    'The URL under which browsers reach Porthole. https, except on localhost; a host of its own, no path.',
  relayUrl: "The relays' URL, when they are not below `publicUrl`. https is read as wss.",
  allowedOrigins:
    "Origins of other sites whose pages may open consoles, and call the API with a token of theirs (CORS, never with a cookie). Porthole's own always may.",
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
  'redis.url':
    '`redis://` or `rediss://` (TLS). Without Redis everything is in the memory of one process. Give this, `sentinel` or `cluster`; see [Redis](redis.md).',
  'redis.sentinel.name': 'What the sentinels call the group of servers.',
  'redis.sentinel.nodes': 'The sentinels, `host:port`; usual port 26379.',
  'redis.sentinel.username': 'ACL user at the sentinels.',
  'redis.sentinel.password': 'Password for the sentinels.',
  'redis.sentinel.db': 'Number of the database.',
  'redis.cluster.nodes': 'Some nodes of a Redis Cluster, `host:port`; usual port 6379. They know the others.',
  'redis.username': 'ACL user at the servers.',
  'redis.password': 'Password for the servers.',
  'redis.tls': 'TLS to sentinels and to the nodes of a cluster. In a URL, write `rediss://`.',
  'redis.caFile':
    'PEM file of the CA that signed the certificates of Redis, where that is not a public one. Read again for each connection.',
  'redis.certFile': 'PEM file of our own certificate, where Redis asks for one.',
  'redis.keyFile': 'PEM file of its key.',
  'redis.serverName': 'Name that the certificates of Redis carry, where it is not the one that is dialled.',
  'tracing.endpoint':
    'URL of an OpenTelemetry collector (OTLP over HTTP, `http://collector:4318`) that gets [traces](tracing.md).',
  'tracing.sampleRatio': 'Which part of all traces is recorded, from 0 to 1.',
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
    'Like `credential`, for the broker alone. It needs VM.Audit, Pool.Audit for rules with pools, and VM.PowerMgmt for those with `power`.',
  'clusters[].relayCredential':
    'Like `credential`, for the relays alone. They need VM.Console, VM.Audit and Sys.Audit.',
  'clusters[].tls.caFile':
    'PEM file of the CA that is trusted instead of the public ones: `/etc/pve/pve-root-ca.pem` of any node.',
  'clusters[].tls.fingerprints':
    'SHA-256 fingerprints of certificates, `AA:BB:…`, one or several, instead of a CA. They change when Proxmox renews its certificates.',
  'clusters[].tls.postQuantum':
    '`true` also offers X25519MLKEM768 to Proxmox (PVE 9 knows it), for 13 KiB more of memory per console.',
  'clusters[].tls.insecureSkipVerify': '`true` checks no certificate. For a first try only.',
  'clusters[].nodeShells':
    'Also offers the [shells of the nodes](access.md#the-shell-of-a-node) to whom a rule of `types: [node]` gives them.',
  'clusters[].opensPerNode':
    'Consoles that are opened at one node at the same time; the others wait in line.',
  frameAncestors:
    'Origins of sites whose pages may show consoles in a frame of theirs. The list of machines and the sign-in page are in nobody’s.',
  'signIn.oidc[].name': 'Name of the issuer in addresses, logs and the ids of its users. Keep it.',
  'signIn.oidc[].title': 'On the button, “Sign in with …”. Without it, the issuer’s host.',
  'signIn.oidc[].issuer': 'The issuer, as its discovery document calls it. https, except on localhost.',
  'signIn.oidc[].clientId': 'The client that the issuer knows Porthole by.',
  'signIn.oidc[].clientSecret': 'Its secret. Without it, it is a public client; PKCE is used in any case.',
  'signIn.oidc[].caFile': 'PEM file of the CA that is trusted for the issuer instead of the public ones.',
  'signIn.oidc[].scopes': 'What is asked for.',
  'signIn.oidc[].claims.name':
    'Claims that may hold the name that rules and `{user}` stand for; the first that is there counts. `a.b` is one within another.',
  'signIn.oidc[].claims.displayName': 'Claim with the name to show.',
  'signIn.oidc[].claims.groups': 'Claim with the groups, `realm_access.roles` for instance.',
  'signIn.oidc[].claims.keep': 'Other claims that access rules ask for.',
  'signIn.oidc[].namePrefix':
    'Put before every name, so that nobody of this issuer is taken for somebody of another.',
  'signIn.oidc[].refreshSeconds':
    'How often the issuer is asked whether somebody is still who they were, where it gives refresh tokens.',
  'signIn.oidc[].rpInitiatedLogout': 'Whether signing out leads to the issuer, to sign out there, too.',
  'signIn.proxmox[].cluster':
    'Name of the cluster whose accounts sign in. They open its machines, and only those that Proxmox lets them open.',
  'signIn.proxmox[].realms[].name': 'A realm of its accounts: `pve`, or the name of a directory.',
  'signIn.proxmox[].realms[].title': 'What people choose where there are several. Without it, the name.',
  'signIn.proxmox[].shortNames':
    '`true`: rules and `{user}` know `anna@ad` as `anna`. For where nobody else comes by that name.',
  'signIn.proxmox[].allowRoot':
    '`true` lets `root@pam` sign in, if `pam` is among the realms. Its ticket opens every account of the cluster.',
  'signIn.header.from':
    'Addresses and ranges of the proxies, by the connection itself. From anywhere else the header is refused.',
  'signIn.header.user': 'Header with the name.',
  'signIn.header.displayName': 'Header with the name to show.',
  'signIn.header.groups': 'Header with the groups, separated by commas.',
  'signIn.header.signOutUrl': 'Where the pages send whoever signs out.',
  'signIn.programs[].name':
    'Name of the issuer of tokens, in logs and in the ids of the users it opens consoles for.',
  'signIn.programs[].issuer': 'The claim `iss` of its tokens.',
  'signIn.programs[].jwksUrl': 'Where its keys are. Without it, where its discovery document says.',
  'signIn.programs[].audience': 'What the claim `aud` of its tokens must hold.',
  'signIn.programs[].algorithms': 'Signatures that are taken. None with a shared secret.',
  'signIn.programs[].caFile': 'PEM file of the CA that is trusted for the issuer instead of the public ones.',
  'signIn.programs[].subjects':
    'The programs, by the claim `sub`. Without it every one that the issuer names.',
  'signIn.programs[].impersonation.users':
    'Patterns of the names of users for whom they may ask: `*` for any characters, `?` for one. Without `impersonation` for nobody.',
  'signIn.programs[].impersonation.groups': 'Groups that they may say these users are in.',
  'signIn.serviceAccounts.audience': 'The audience for which the tokens must have been made.',
  'signIn.serviceAccounts.allow': 'Service accounts, `namespace:name`.',
  'signIn.serviceAccounts.impersonation.users': 'As for programs.',
  'signIn.serviceAccounts.impersonation.groups': 'As for programs.',
  'signIn.session.idleSeconds': 'Seconds without any request after which a sign-in ends.',
  'signIn.session.maxSeconds': 'Seconds after which it ends in any case.',
  'signIn.local.usersFile':
    'File with the local users, which `npm run user` writes. Read again when it changes.',
  accessFile:
    'File with `access` and `classes`, instead of them here. Read again when it changes; see [access](access.md).',
  'access[].name': 'Shown in explanations and in the audit.',
  'access[].who.users': 'Names of users.',
  'access[].who.groups': 'Names of groups.',
  'access[].who.claims': 'What the sign-in says of people, `department: [physics]`.',
  'access[].who.programs': 'Names of programs.',
  'access[].who.everyone': '`true`: everybody who is signed in. Programs are not meant.',
  'access[].which.clusters': 'Names of clusters.',
  'access[].which.nodes': 'Names of nodes.',
  'access[].which.pools': 'Names of pools.',
  'access[].which.tags': 'Tags.',
  'access[].which.types': '`qemu` (virtual machines), `lxc` (containers).',
  'access[].which.vmids': 'Numbers, and ranges such as `"200-299"`.',
  'access[].which.names':
    'Patterns of names: `*` for any characters, `?` for one, `{user}` for the name of who asks, `{group}` for any of their groups.',
  'access[].which.all': '`true`: every machine.',
  'access[].allow':
    '`view`, `control` (which includes `view`), `terminal` (text, of containers and serial ports), `watch` (look on, announced), `power`, `end` (the consoles of others), `explain`, `audit` (what happened).',
  'access[].clipboard':
    'Which way it may go, seen from the machine: `both`, `in`, `out`, `none`. Without: both.',
  'access[].when':
    'Times at which the rule counts, one or several; see [access](access.md). Without: always.',
  'access[].limits.sessionSeconds': 'As `limits.sessionSeconds`, for what this rule gives.',
  'access[].limits.maxSessionSeconds':
    'As `limits.maxSessionSeconds`. Without it, nobody can ask for more than the `sessionSeconds` beside it.',
  'access[].limits.idleSeconds': 'As `limits.idleSeconds`.',
  'access[].limits.consolesPerUser': 'As `limits.consolesPerUser`.',
  'access[].limits.consolesPerMachine': 'As `limits.consolesPerMachine`.',
  'access[].limits.updatesPerSecond': 'Pictures a second at most. Without: as many as there are.',
  'classes[].name':
    'Name of the class in addresses and in the audit: small letters, digits, dots and dashes.',
  'classes[].title': 'What people read. Without: the name.',
  'classes[].members.users': 'Names of users.',
  'classes[].members.groups': 'Names of groups.',
  'classes[].instructors.users': 'Names of users.',
  'classes[].instructors.groups': 'Names of groups.',
  'classes[].machines': 'All machines of the class, as `access[].which` says them.',
  'classes[].own': 'Which of them a member may open: patterns of names, as in `access[].which.names`.',
  'classes[].allow': 'What members may do with their own, as in `access[].allow`. Without: `control`.',
  'classes[].clipboard': 'For members, as in `access[].clipboard`.',
  'classes[].when': 'For members, as in `access[].when`.',
  'classes[].limits': 'For members, as in `access[].limits`.',
  'limits.sessionSeconds': 'Seconds that one console may last, at most a week.',
  'limits.idleSeconds': 'Seconds without key, pointer or paste after which a console ends.',
  'limits.extendSeconds':
    'Seconds that somebody gets who asks for more time, if `maxSessionSeconds` allows it.',
  'limits.maxSessionSeconds':
    'Seconds that one console may last with all extensions. Without it, nobody can ask for more time.',
  'limits.consolesPerUser': 'Consoles that one user may have open at a time.',
  'limits.consolesPerMachine': 'Consoles that one machine may have open at a time; QEMU takes 32.',
  'limits.consolesPerRelay': 'Consoles that one relay carries.',
  'limits.queuedPerRelay': 'People that may wait in line at one relay.',
  'limits.queueSeconds': 'Seconds that somebody waits in line.',
  'limits.signInsPerMinute': 'Sign-in tries per minute of one user name.',
  'limits.signInsPerAddressPerMinute':
    'Sign-in tries per minute from one address. A whole class may sit behind one.',
  'limits.grantsPerMinute': 'Consoles that one user may ask for per minute.',
  'limits.upgradesPerMinute': 'WebSockets per minute from one address. A whole school may sit behind one.',
  'audit.to': 'Where [audit](audit.md) lines go: `stdout`, `file`, or `none`.',
  'audit.file': 'The file for `to: file`. Lines are appended; it may be truncated while it is written.',
  showOperatorName: 'Whether people read who ended their console, or only that somebody did.',
  'limits.drainSeconds':
    'Seconds over which a relay that leaves sends its consoles to others, at most ten minutes. See [drain](drain.md).',
};
