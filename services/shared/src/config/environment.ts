/**
 * Settings that can come from environment variables, with their paths in the file. Each secret also has a `_FILE`
 * variant. The table in docs/configuration.md is generated from this list.
 */
export interface EnvironmentVariable {
  readonly name: string;
  readonly path: readonly string[];
  readonly secret?: true;
  readonly about: string;
}

/** Variables for the only cluster of a configuration without a file. */
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
  { name: 'PORTHOLE_PUBLIC_URL', path: ['publicUrl'], about: 'URL under which browsers reach Porthole' },
  {
    name: 'PORTHOLE_RELAY_URL',
    path: ['relayUrl'],
    about: 'URL of the relays, if it is not below the public URL',
  },
  { name: 'PORTHOLE_LISTEN', path: ['listen'], about: 'host:port of the public port' },
  {
    name: 'PORTHOLE_OPERATIONS_LISTEN',
    path: ['operationsListen'],
    about: 'host:port of /metrics, /livez, /readyz',
  },
  {
    name: 'PORTHOLE_TRUSTED_PROXIES',
    path: ['trustedProxies'],
    about: 'number of proxies in front of Porthole',
  },
  { name: 'PORTHOLE_LOG_LEVEL', path: ['logLevel'], about: 'debug, info, warn, error or silent' },
  {
    name: 'PORTHOLE_INSTANCE',
    path: ['instance'],
    about: 'unique name of this process; on Kubernetes, the pod name',
  },
  {
    name: 'PORTHOLE_SHARING_INTERNAL_ADDRESS',
    path: ['sharing', 'internalAddress'],
    about: 'host:port at which other relays reach this one; on Kubernetes, the address of the pod',
  },
  {
    name: 'PORTHOLE_GRANT_KEYS',
    path: ['grantKeys'],
    secret: true,
    about: 'keys shared by broker and relay, separated by spaces: the first one seals, all open',
  },
  {
    name: 'PORTHOLE_REDIS_URL',
    path: ['redis', 'url'],
    about: 'redis:// or rediss:// URL; without it, the store is in memory',
  },
  { name: 'PORTHOLE_REDIS_USERNAME', path: ['redis', 'username'], about: 'Redis ACL user' },
  { name: 'PORTHOLE_REDIS_PASSWORD', path: ['redis', 'password'], secret: true, about: 'Redis password' },
  {
    name: 'PORTHOLE_REDIS_CA_FILE',
    path: ['redis', 'caFile'],
    about: 'PEM file of the CA of the Redis certificate',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    path: ['tracing', 'endpoint'],
    about: 'URL of an OpenTelemetry collector that accepts OTLP over HTTP',
  },
  { name: 'PORTHOLE_USERS_FILE', path: ['signIn', 'local', 'usersFile'], about: 'file with local users' },
  {
    name: 'PORTHOLE_ACCESS_FILE',
    path: ['accessFile'],
    about: 'file with access rules and classes; read again when it changes',
  },
  {
    name: 'PORTHOLE_RECORDINGS_ENCRYPTION_KEYS',
    path: ['recordings', 'encryptionKeys'],
    secret: true,
    about: 'keys that encrypt recordings, separated by spaces: the first one encrypts, all decrypt',
  },
  {
    name: 'PORTHOLE_RECORDINGS_S3_ACCESS_KEY_ID',
    path: ['recordings', 'storage', 's3', 'accessKeyId'],
    secret: true,
    about: 'access key of the storage of recordings',
  },
  {
    name: 'PORTHOLE_RECORDINGS_S3_SECRET_ACCESS_KEY',
    path: ['recordings', 'storage', 's3', 'secretAccessKey'],
    secret: true,
    about: 'secret of this access key',
  },
  cluster('URL', ['urls'], 'Proxmox URL, https://host:8006'),
  cluster('TOKEN', ['credential', 'token'], 'API token ID, user@realm!name'),
  cluster('TOKEN_SECRET', ['credential', 'secret'], 'secret of the API token', true),
  cluster('USERNAME', ['credential', 'username'], 'user@realm, instead of an API token'),
  cluster('PASSWORD', ['credential', 'password'], 'password of the user', true),
  cluster('CA_FILE', ['tls', 'caFile'], 'PEM file of the CA, /etc/pve/pve-root-ca.pem on a node'),
  cluster('FINGERPRINT', ['tls', 'fingerprints'], 'SHA-256 fingerprint of the certificate, instead of a CA'),
  cluster(
    'INSECURE_SKIP_VERIFY',
    ['tls', 'insecureSkipVerify'],
    '"true" disables certificate verification; for tests only',
  ),
];

/** Variables that contain or name all settings. */
const configVariables = new Set(['PORTHOLE_CONFIG', 'PORTHOLE_CONFIG_YAML']);

/** Variables that Kubernetes sets in each pod for a Service named porthole-…. They are not settings. */
const serviceLink = /_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT$|_PORT_\d+_(TCP|UDP)/;

/** Returns the values by their paths in the configuration, and the names of unknown PORTHOLE_ variables. */
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
    if (value === undefined || value === '' || configVariables.has(name)) continue;
    const found = known.get(name);
    if (!found) {
      if (name.startsWith('PORTHOLE_') && !serviceLink.test(name)) unknown.push(name);
      continue;
    }
    const { path } = found.variable;
    const settingPath = found.file ? [...path.slice(0, -1), `${path.at(-1)}File`] : path;
    values.push({ path: settingPath, name, value });
  }
  return { values, unknown };
}
