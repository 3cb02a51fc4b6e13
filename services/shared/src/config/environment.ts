/**
 * The scalars of the configuration that can come from the environment, and where each belongs in the file.
 * A `_FILE` variant exists for every secret. docs/configuration.md is checked against this table.
 */
export interface EnvironmentVariable {
  readonly name: string;
  readonly path: readonly string[];
  readonly secret?: true;
  readonly about: string;
}

/** Variables that describe the one cluster of a configuration without a file. */
const cluster = (
  name: string,
  path: readonly string[],
  about: string,
  secret?: true,
): EnvironmentVariable => ({
  name: `PORTHOLE_PROXMOX_${name}`,
  path: ['clusters', '0', ...path],
  about,
  ...(secret ? { secret } : {}),
});

export const environmentVariables: readonly EnvironmentVariable[] = [
  { name: 'PORTHOLE_PUBLIC_URL', path: ['publicUrl'], about: 'the URL under which browsers reach Porthole' },
  {
    name: 'PORTHOLE_RELAY_URL',
    path: ['relayUrl'],
    about: "the relays' URL, when it is not below the public one",
  },
  { name: 'PORTHOLE_LISTEN', path: ['listen'], about: 'host:port of the public port' },
  {
    name: 'PORTHOLE_OPERATIONS_LISTEN',
    path: ['operationsListen'],
    about: 'host:port of /metrics, /livez, /readyz',
  },
  { name: 'PORTHOLE_TRUSTED_PROXIES', path: ['trustedProxies'], about: 'how many proxies stand in front' },
  { name: 'PORTHOLE_LOG_LEVEL', path: ['logLevel'], about: 'debug, info, warn, error or silent' },
  {
    name: 'PORTHOLE_INSTANCE',
    path: ['instance'],
    about: "a name for this process that no other bears, the pod's on Kubernetes",
  },
  {
    name: 'PORTHOLE_GRANT_KEYS',
    path: ['grantKeys'],
    secret: true,
    about: 'keys shared by broker and relay, separated by blanks: the first seals, all open',
  },
  {
    name: 'PORTHOLE_REDIS_URL',
    path: ['redis', 'url'],
    about: 'redis:// or rediss://; without it the store is in memory',
  },
  { name: 'PORTHOLE_REDIS_PASSWORD', path: ['redis', 'password'], secret: true, about: 'password for Redis' },
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    path: ['tracing', 'endpoint'],
    about: 'URL of an OpenTelemetry collector that takes traces by OTLP over HTTP',
  },
  { name: 'PORTHOLE_USERS_FILE', path: ['signIn', 'local', 'usersFile'], about: 'file with the local users' },
  {
    name: 'PORTHOLE_ACCESS_FILE',
    path: ['accessFile'],
    about: 'file with the access rules and classes, read again when it changes',
  },
  cluster('URL', ['urls'], 'https://host:8006 of Proxmox'),
  cluster('TOKEN', ['credential', 'token'], 'API token id, user@realm!name'),
  cluster('TOKEN_SECRET', ['credential', 'secret'], 'its secret', true),
  cluster('USERNAME', ['credential', 'username'], 'user@realm, instead of a token'),
  cluster('PASSWORD', ['credential', 'password'], 'its password', true),
  cluster('CA_FILE', ['tls', 'caFile'], 'PEM file of the CA, /etc/pve/pve-root-ca.pem there'),
  cluster('FINGERPRINT', ['tls', 'fingerprints'], 'SHA-256 fingerprint of the certificate, instead of a CA'),
  cluster(
    'INSECURE_SKIP_VERIFY',
    ['tls', 'insecureSkipVerify'],
    '"true" checks no certificate: for a first try only',
  ),
];

/** Kubernetes puts such variables into every pod for a Service named porthole-…; they are none of our settings. */
const serviceLink = /_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT$|_PORT_\d+_(TCP|UDP)/;

/**
 * The values found, by their place in the configuration, and the names that start with PORTHOLE_ but are none
 * of ours.
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): {
  readonly values: readonly { path: readonly string[]; name: string; value: unknown }[];
  readonly unknown: readonly string[];
} {
  const known = new Map<string, { variable: EnvironmentVariable; file: boolean }>();
  for (const variable of environmentVariables) {
    known.set(variable.name, { variable, file: false });
    if (variable.secret) known.set(`${variable.name}_FILE`, { variable, file: true });
  }
  const values: { path: readonly string[]; name: string; value: unknown }[] = [];
  const unknown: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '' || name === 'PORTHOLE_CONFIG') continue;
    const found = known.get(name);
    if (!found) {
      if (name.startsWith('PORTHOLE_') && !serviceLink.test(name)) unknown.push(name);
      continue;
    }
    const { path } = found.variable;
    const place = found.file ? [...path.slice(0, -1), `${path.at(-1)}File`] : path;
    values.push({ path: place, name, value });
  }
  return { values, unknown };
}
