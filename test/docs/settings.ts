/** The meaning of each setting, for docs/configuration.md. The schema decides which settings exist. */
export const meanings: Readonly<Record<string, string>> = {
  publicUrl:
    'URL at which browsers reach Porthole. Must be https, except on localhost. Can have a path on a [shared host](fronts.md#a-path-of-a-shared-host), such as `https://labs.example.org/consoles`.',
  relayUrl: 'URL of the relays, if they are not below `publicUrl`. https is read as wss. It can have a path.',
  allowedOrigins:
    'Origins of other sites whose pages may open consoles and call the API with a bearer token (CORS; never with a cookie). The origin of `publicUrl` is always allowed.',
  listen:
    'Address of the public port: pages, API and consoles. Plain HTTP: the reverse proxy terminates TLS.',
  operationsListen:
    'Address of the operations port: `/metrics`, `/livez`, `/readyz`. Do not expose it to the internet.',
  trustedProxies:
    'Number of reverse proxies in front of Porthole. Each must append to `X-Forwarded-For`. If the number is wrong, per-address limits count the wrong address.',
  logLevel: '`debug`, `info`, `warn`, `error` or `silent`.',
  instance:
    'Unique name of this process, shown in lists of consoles. On Kubernetes: the name of the pod. Default: a generated name.',
  'kubernetes.namespace': "Namespace of the relays and brokers. Default: the pod's namespace.",
  'kubernetes.leaseName': 'Lease that the brokers use to elect their leader.',
  'kubernetes.relaySelector':
    "Label selector of the relay pods, `a=b,c=d`. Each relay's `instance` must be the name of its pod.",
  grantKeys:
    'Keys shared by broker and relay: at least 32 characters each, separated by whitespace or commas. The first key encrypts; all keys decrypt. Required with Redis.',
  'redis.url':
    '`redis://` or `rediss://` (TLS). Set exactly one of `url`, `sentinel` and `cluster`; see [Redis](redis.md). Without `redis`, the store is in the memory of one process.',
  'redis.sentinel.name': 'Master name that the sentinels monitor.',
  'redis.sentinel.nodes': 'Sentinels, `host:port`. Default port: 26379.',
  'redis.sentinel.username': 'ACL user on the sentinels.',
  'redis.sentinel.password': 'Password for the sentinels.',
  'redis.sentinel.db': 'Database number.',
  'redis.cluster.nodes':
    'Some nodes of a Redis Cluster, `host:port`. Default port: 6379. Porthole discovers the other nodes.',
  'redis.username': 'ACL user on the Redis servers.',
  'redis.password': 'Password for the Redis servers.',
  'redis.tls':
    '`true` enables TLS to the sentinels and to the nodes of a cluster. With `redis.url`, use `rediss://` instead.',
  'redis.caFile':
    'PEM file of the CA that signed the Redis certificates. Not needed for a public CA. Read again for each connection.',
  'redis.certFile': "PEM file of Porthole's client certificate, if Redis requires one.",
  'redis.keyFile': 'PEM file of the key of the client certificate.',
  'redis.serverName':
    'Name in the Redis certificates, if it differs from the host that Porthole connects to.',
  'tracing.endpoint':
    'URL of an OpenTelemetry collector (OTLP over HTTP, `http://collector:4318`) that receives [traces](tracing.md).',
  'tracing.sampleRatio': 'Fraction of traces to record, from 0 to 1.',
  'clusters[].name':
    'Name of the cluster in URLs, rules and logs: lower-case letters, digits and dashes. Must be unique.',
  'clusters[].urls':
    'Entry points, `https://host:8006`: one or more nodes of the cluster. Porthole tries them in turn until one answers.',
  'clusters[].nodes':
    'Addresses of nodes by name, `pve1: https://10.0.0.1:8006`, if Porthole cannot reach the addresses that Proxmox reports.',
  'clusters[].credential.token': 'API token, `user@realm!name`.',
  'clusters[].credential.secret': 'Secret of the token.',
  'clusters[].credential.username': 'Account, `user@realm`, instead of a token.',
  'clusters[].credential.password': 'Password of the account.',
  'clusters[].brokerCredential':
    'Credential for the broker only, with the fields of `credential`. Needs VM.Audit; Pool.Audit if rules use pools; VM.PowerMgmt if rules give `power`.',
  'clusters[].relayCredential':
    'Credential for the relays only, with the fields of `credential`. Needs VM.Console, VM.Audit and Sys.Audit.',
  'clusters[].tls.caFile':
    'PEM file of the CA to trust instead of the public CAs: `/etc/pve/pve-root-ca.pem` of any node.',
  'clusters[].tls.fingerprints':
    'One or more SHA-256 fingerprints of certificates, `AA:BB:…`, instead of a CA. They change when Proxmox renews its certificates.',
  'clusters[].tls.postQuantum':
    '`true` also offers the key exchange X25519MLKEM768 to Proxmox (supported by PVE 9). Costs 13 KiB more memory per console.',
  'clusters[].tls.insecureSkipVerify':
    '`true` disables certificate verification. Use it only for a first test.',
  'clusters[].nodeShells':
    '`true` offers [node shells](access.md#node-shells) to users who have a rule with `types: [node]`.',
  'clusters[].opensPerNode': 'Consoles that open on one node at the same time. Further requests are queued.',
  frameAncestors:
    'Origins of sites whose pages may show consoles in a frame. The machine list and the sign-in page can never be framed.',
  'lti.toolKeys':
    'One or two private RSA keys in PEM format with which Porthole signs for [learning platforms](lti.md). The first one signs, both are published.',
  'lti.platforms[].name': 'Name of the platform in groups, user ids and logs. Do not change it later.',
  'lti.platforms[].issuer':
    'Issuer of the platform (“platform ID”), exactly as in its messages. Must be https, except on localhost.',
  'lti.platforms[].clientId': 'Client id of Porthole at the platform.',
  'lti.platforms[].deploymentIds': 'Deployments of Porthole at the platform. Others are refused.',
  'lti.platforms[].authorizationUrl': 'Authentication request URL of the platform.',
  'lti.platforms[].jwksUrl': 'URL of the public keys of the platform.',
  'lti.platforms[].tokenUrl': 'Access token URL of the platform. Needed for `rosters`.',
  'lti.platforms[].caFile': 'CA certificate of the platform, if the system does not trust it.',
  'lti.platforms[].origins':
    'Origins of pages of the platform that show Porthole in a frame. Default: those of `issuer` and `authorizationUrl`.',
  'lti.platforms[].claims.name':
    'Claims with the user name, in order of preference. `ext` and `lis` are claims of LTI without their prefix.',
  'lti.platforms[].claims.displayName': 'Claim with the full name.',
  'lti.platforms[].namePrefix': 'Prefix of user names, to tell users of different platforms apart.',
  'lti.platforms[].groups[].group': 'A group that users get in addition.',
  'lti.platforms[].groups[].context': 'Id of the course. Default: every course.',
  'lti.platforms[].groups[].role': '`instructor`, `assistant` or `learner`. Default: each of them.',
  'lti.platforms[].rosters':
    'Ids of courses whose [members](lti.md#members-who-sign-in-in-another-way) have their groups also when they sign in in another way.',
  'signIn.oidc[].name': 'Name of the issuer in URLs, logs and user ids. Do not change it later.',
  'signIn.oidc[].title': "Name on the button “Sign in with …”. Default: the issuer's host.",
  'signIn.oidc[].issuer':
    'Issuer URL, exactly as in its discovery document. Must be https, except on localhost.',
  'signIn.oidc[].clientId': 'Client id of Porthole at the issuer.',
  'signIn.oidc[].clientSecret':
    'Client secret. Without it, Porthole is a public client. PKCE is used in both cases.',
  'signIn.oidc[].caFile': 'PEM file of the CA to trust for the issuer instead of the public CAs.',
  'signIn.oidc[].scopes': 'Scopes to request.',
  'signIn.oidc[].claims.name':
    'Claims for the user name that access rules and `{user}` refer to. The first claim that is present is used. `a.b` is the claim `b` inside the claim `a`.',
  'signIn.oidc[].claims.displayName': 'Claim for the display name.',
  'signIn.oidc[].claims.groups': 'Claim for the groups, for example `realm_access.roles`.',
  'signIn.oidc[].claims.keep': 'Additional claims for access rules (`access[].who.claims`).',
  'signIn.oidc[].namePrefix':
    'Prefix for every user name of this issuer, so that it cannot match a user of another sign-in method.',
  'signIn.oidc[].refreshSeconds':
    'Interval at which Porthole refreshes the user at the issuer, if the issuer gives refresh tokens. Users disabled there are signed out.',
  'signIn.oidc[].rpInitiatedLogout':
    'Whether signing out redirects to the issuer, to sign out there too (RP-initiated logout).',
  'signIn.proxmox[].cluster':
    'Cluster whose accounts can sign in. They can open only machines of this cluster, and only those that Proxmox permits.',
  'signIn.proxmox[].realms[].name': 'Realm of the accounts: `pve`, or the name of a directory.',
  'signIn.proxmox[].realms[].title':
    'Name in the list of realms, if there are several. Default: the name of the realm.',
  'signIn.proxmox[].shortNames':
    '`true`: access rules and `{user}` use `anna` for `anna@ad`. Set it only if no other sign-in method has users with these names.',
  'signIn.proxmox[].allowRoot':
    '`true` lets `root@pam` sign in, if `pam` is among the realms. Its ticket opens every account of the cluster.',
  'signIn.header.from':
    'Addresses and CIDR ranges of the trusted proxies, compared with the TCP peer address. A request with the header from any other address is refused.',
  'signIn.header.user': 'Header with the user name. Default: `X-Forwarded-User`.',
  'signIn.header.displayName': 'Header with the display name. Default: `X-Forwarded-Preferred-Username`.',
  'signIn.header.groups': 'Header with the groups, separated by commas. Default: `X-Forwarded-Groups`.',
  'signIn.header.signOutUrl': 'URL or path to which the pages redirect a user who signs out.',
  'signIn.programs[].name':
    'Name of the token issuer, in logs and in the ids of the users for whom its programs open consoles.',
  'signIn.programs[].issuer': 'Required value of the claim `iss`.',
  'signIn.programs[].jwksUrl': "URL of the issuer's keys (JWKS). Default: the URL in its discovery document.",
  'signIn.programs[].audience': 'Value that the claim `aud` must contain.',
  'signIn.programs[].algorithms':
    'Accepted signature algorithms. Algorithms with a shared secret (HS256 and the like) are not supported.',
  'signIn.programs[].caFile': 'PEM file of the CA to trust for the issuer instead of the public CAs.',
  'signIn.programs[].subjects': 'Accepted values of the claim `sub`. Default: all subjects of the issuer.',
  'signIn.programs[].impersonation.users':
    'Patterns of user names that the program may act for: `*` matches any characters, `?` matches one. Without `impersonation`, the program may not act for users.',
  'signIn.programs[].impersonation.groups': 'Groups that the program may assign to these users.',
  'signIn.serviceAccounts.audience': 'Audience for which the tokens must be issued.',
  'signIn.serviceAccounts.allow': 'Accepted service accounts, `namespace:name`.',
  'signIn.serviceAccounts.impersonation.users': 'Same as `signIn.programs[].impersonation.users`.',
  'signIn.serviceAccounts.impersonation.groups': 'Same as `signIn.programs[].impersonation.groups`.',
  'signIn.session.idleSeconds': 'A sign-in ends after this many seconds without a request.',
  'signIn.session.maxSeconds': 'A sign-in ends after this many seconds, even in use.',
  'signIn.local.usersFile':
    'File with the local users, written by `npm run user`. Read again when it changes.',
  accessFile:
    'File with `access` and `classes`, instead of them in this file. Read again when it changes; see [Access](access.md).',
  'access[].name': 'Name of the rule, shown in explanations and in the audit log.',
  'access[].who.users': 'User names.',
  'access[].who.groups': 'Group names.',
  'access[].who.claims': 'Claims of the sign-in and their accepted values: `department: [physics]`.',
  'access[].who.programs': 'Names of programs.',
  'access[].who.everyone': '`true`: every signed-in user. Does not include programs.',
  'access[].which.clusters': 'Cluster names.',
  'access[].which.nodes': 'Node names.',
  'access[].which.pools':
    'Pool names. `{user}` is the name of the user, `{group}` any group of the user: see [access](access.md#machines-of-a-user-or-group).',
  'access[].which.tags': 'Tags. `{user}` and `{group}` as for pools, with upper and lower case equal.',
  'access[].which.types':
    '`qemu` (virtual machines), `lxc` (containers), `node` ([node shells](access.md#node-shells)).',
  'access[].which.vmids': 'VM ids, and ranges such as `"200-299"`.',
  'access[].which.names':
    'Patterns of machine names. `*` matches any characters, `?` matches one. With `{user}` or `{group}`: see [access](access.md#name-patterns).',
  'access[].which.all': '`true`: every machine. Does not include nodes.',
  'access[].allow':
    'Rights: `view`, `control` (includes `view`), `terminal`, `watch`, `power`, `end`, `explain`, `audit`, `recordings`. See [Rights](access.md#rights).',
  'access[].clipboard':
    'Permitted clipboard direction, as seen from the machine: `both`, `in`, `out` or `none`. Default: `both`.',
  'access[].when':
    'One or more [time windows](access.md#time-windows) in which the rule applies. Default: always.',
  'access[].limits.sessionSeconds': 'Overrides `limits.sessionSeconds` for consoles that this rule gives.',
  'access[].limits.maxSessionSeconds':
    'Overrides `limits.maxSessionSeconds`. If a rule sets `sessionSeconds` without `maxSessionSeconds`, users cannot extend the session.',
  'access[].limits.idleSeconds': 'Overrides `limits.idleSeconds`.',
  'access[].limits.parkViewSeconds': 'Overrides `limits.parkViewSeconds`.',
  'access[].limits.parkControlSeconds': 'Overrides `limits.parkControlSeconds`.',
  'access[].limits.consolesPerUser': 'Overrides `limits.consolesPerUser`.',
  'access[].limits.consolesPerMachine': 'Overrides `limits.consolesPerMachine`.',
  'access[].limits.updatesPerSecond': 'Maximum screen updates per second. Default: unlimited.',
  'access[].record':
    'Whether and how consoles are [recorded](access.md#recording): `required`, `try`, or an object with `mode`, `keys`, `clipboard`, `consent` and `keepDays`. Default: not recorded.',
  'classes[].name':
    'Name of the class in URLs and in the audit log: lower-case letters, digits, dots and dashes.',
  'classes[].title': 'Name that users see. Default: `name`.',
  'classes[].members.users': 'User names of the members.',
  'classes[].members.groups': 'Groups of the members.',
  'classes[].instructors.users': 'User names of the instructors.',
  'classes[].instructors.groups': 'Groups of the instructors.',
  'classes[].machines': 'All machines of the class, with the fields of `access[].which`.',
  'classes[].own':
    'Machines that a member may open: name patterns, or an object with `names`, `tags` or `pools`, as in `access[].which`.',
  'classes[].allow': 'Rights of members on their own machines, as in `access[].allow`. Default: `control`.',
  'classes[].instructorsSeeRecordings':
    '`true`: instructors see the recordings of consoles that were opened for the class. Default: only users with the right `recordings`. See [Recordings](recordings.md#who-sees-what).',
  'classes[].clipboard': 'Same as `access[].clipboard`, for members.',
  'classes[].when': 'Same as `access[].when`, for members.',
  'classes[].limits': 'Same as `access[].limits`, for members.',
  'classes[].record': 'Same as `access[].record`, for members.',
  'classes[].prepare.startMinutes':
    'Starts the machines of the class this many minutes before each lesson. Needs `when`. See [Class](class.md#timetable).',
  'classes[].after.shutdownMinutes':
    'Shuts down the machines of the class that have no open console this many minutes after each lesson. Needs `when`.',
  'limits.sessionSeconds': 'Maximum duration of a console session in seconds. At most one week (604800).',
  'limits.idleSeconds': 'A console ends after this many seconds without keyboard, pointer or paste input.',
  'limits.extendSeconds': 'Seconds by which a user can extend a session, if `maxSessionSeconds` allows it.',
  'limits.maxSessionSeconds':
    'Maximum duration of a console session including extensions. Without it, users cannot extend a session.',
  'limits.parkViewSeconds':
    'A view-only screen, also of an observer, is [parked](sessions.md#parking) after its page was hidden for this many seconds. `0`: never.',
  'limits.parkControlSeconds': 'The same for a screen with keyboard and mouse.',
  'limits.consolesPerUser': 'Maximum open consoles per user.',
  'limits.consolesPerMachine': 'Maximum open consoles per machine. QEMU supports at most 32.',
  'limits.consolesPerRelay': 'Maximum consoles per relay.',
  'limits.wallsPerRelay': 'Maximum walls per relay: open class pages that show pictures of the machines.',
  'limits.queuedPerRelay': 'Maximum queued sessions per relay.',
  'limits.queueSeconds': 'Maximum time in a queue from which no console opens.',
  'limits.signInsPerMinute': 'Sign-in attempts per minute and user name.',
  'limits.signInsPerAddressPerMinute':
    'Sign-in attempts per minute and client address. A whole class can share one address.',
  'limits.grantsPerMinute':
    'Console requests per minute and user. Returning to a console after an outage does not count.',
  'limits.httpConnections':
    'HTTP connections of one pod, without consoles. At the limit, a new connection replaces the one that is idle longest.',
  'limits.upgradesPerMinute':
    'WebSocket upgrades per minute and client address. A whole school can share one address.',
  'sharing.enabled':
    'Whether the viewers of a machine [share one console](network.md#between-relays) at Proxmox. `false` opens a console for each.',
  'sharing.screens': 'Maximum shared screens of one relay. Above it, viewers get consoles of their own.',
  'sharing.viewersPerScreen':
    'Maximum viewers of one shared screen. Above it, viewers get consoles of their own.',
  'sharing.megapixels':
    'Maximum size of all shared pictures of one relay, in million pixels (4 MB of memory each).',
  'sharing.tileCacheMiB': 'Memory of each worker for parts of pictures that several viewers get.',
  'sharing.workers': 'Threads of one relay that decode and encode shared pictures: 1 or 2.',
  'sharing.healSeconds': 'Time in which a lost console is opened again before its viewers end.',
  'sharing.internalAddress':
    'Address at which other relays reach this one, `host:port` or `[IPv6]:port`. The chart sets it to the address of the pod. Without it, no viewer is forwarded to this relay, and there is no internal listener.',
  'sharing.internalListen':
    'Address of the internal listener. Only relays may reach it; see [Between relays](network.md#between-relays).',
  'recordings.encryptionKeys':
    'Keys that encrypt [recordings](recording-format.md#keys): at least 32 characters each, separated by whitespace or commas. The first key encrypts; all keys decrypt. Keep a key until the last recording that it encrypted is deleted.',
  'recordings.storage.directory':
    'Directory for recordings, such as a volume that all relays and brokers mount. It must exist. Set either `directory` or `s3`.',
  'recordings.storage.s3.endpoint':
    'URL of a storage that is compatible with S3. Default: Amazon S3 in `region`.',
  'recordings.storage.s3.region':
    'Region of the bucket. Most storages other than Amazon S3 accept the default.',
  'recordings.storage.s3.bucket': 'Bucket for recordings. It must exist.',
  'recordings.storage.s3.prefix':
    'Beginning of the key of each object, with a slash at its end, for a bucket with other objects.',
  'recordings.storage.s3.pathStyle':
    '`false` puts the bucket into the host name of the URL instead of its path.',
  'recordings.storage.s3.accessKeyId':
    'Access key. It needs permission to list the bucket, and to get, put and delete its objects.',
  'recordings.storage.s3.secretAccessKey': 'Secret of the access key.',
  'recordings.storage.s3.caFile':
    'PEM file of the CA to trust for the storage instead of the public CAs. Read at start.',
  'recordings.spool.directory':
    'Directory in which a relay keeps what it has not stored yet, for this relay alone. Made if it does not exist. Without it, this data is in memory, is stored at each flush, and what the storage does not have is lost with the process.',
  'recordings.spool.memoryMiB':
    'Maximum memory of a relay for recordings that are not stored yet, and for a burst that waits to be written. Above it, recordings [stop](recordings.md#if-the-spool-is-full).',
  'recordings.spool.diskMiB': 'Maximum size of `recordings.spool.directory`.',
  'recordings.spool.flushSeconds':
    'Interval at which a relay writes what was recorded to the spool. A killed relay loses at most this time and a second more. Without a directory, the data is stored then, and a lost relay loses at most this time and that of an upload.',
  'recordings.spool.chunkSeconds':
    'Time after which a relay stores what was recorded, at the next flush. A lost node loses at most these times and that of an upload. Smaller values mean more objects.',
  'recordings.spool.drainSeconds':
    'Time that a relay has at its shutdown, after its last console has ended, to store what is left. Let the service manager wait longer by this and five seconds; the chart does.',
  'audit.to': 'Destination of the [audit log](audit.md): `stdout`, `file` or `none`.',
  'audit.file':
    'File for `to: file`. Lines are appended. You may truncate the file while Porthole writes it.',
  showOperatorName: 'Whether users see the name of the operator who ended their console.',
  'limits.drainSeconds':
    'Time over which a draining relay moves its consoles to other relays. At most 600. See [Drain](drain.md).',
};
