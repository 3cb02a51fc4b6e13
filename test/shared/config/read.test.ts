import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { environmentVariables } from '@porthole/shared/config/environment';
import { ConfigError, grantKeysOf, readConfig } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';
import { secretFile } from '@porthole/shared/config/secret';

const key = 'k'.repeat(32);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'porthole-config-'));
  write('users.yaml', 'users: []');
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** The least that a configuration needs, with whatever should be different. */
function settings(different: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    clusters: [aCluster()],
    signIn: { local: { usersFile: 'users.yaml' } },
    ...different,
  };
}

function aCluster(different: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    urls: 'https://pve1:8006',
    credential: { token: 'porthole@pve!relay', secret: 'token secret' },
    ...different,
  };
}

type Environment = Record<string, string | undefined>;

function read(file: Record<string, unknown> | string, env: Environment = {}): Config {
  write('porthole.yaml', typeof file === 'string' ? file : stringify(file));
  return readConfig({ PORTHOLE_CONFIG: 'porthole.yaml', ...env }, folder);
}

/** The faults that reading ends with. */
function faultsOf(reading: () => unknown): readonly string[] {
  try {
    reading();
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  return [];
}

/** The least that a configuration from the environment alone needs. */
function environment(different: Environment = {}): Environment {
  return {
    PORTHOLE_PROXMOX_URL: 'https://pve1:8006',
    PORTHOLE_PROXMOX_TOKEN: 'porthole@pve!relay',
    PORTHOLE_PROXMOX_TOKEN_SECRET: 'token secret',
    PORTHOLE_USERS_FILE: 'users.yaml',
    ...different,
  };
}

const tokenOf = ({ clusters }: Config) => {
  const credential = clusters[0]?.credential;
  if (credential?.kind !== 'token') throw new Error('That is no token.');
  return credential;
};

describe('a configuration file', () => {
  test('needs a cluster and users, and everything else has a default', () => {
    const config = read(settings());
    expect(config).toMatchObject({
      publicUrl: new URL('http://localhost:8080'),
      allowedOrigins: [],
      listen: { host: '0.0.0.0', port: 8080 },
      operationsListen: { host: '0.0.0.0', port: 9090 },
      trustedProxies: 0,
      logLevel: 'info',
      clusters: [
        {
          name: 'proxmox',
          urls: [new URL('https://pve1:8006')],
          nodes: {},
          tls: { insecureSkipVerify: false },
          opensPerNode: 3,
        },
      ],
      limits: { idleSeconds: 7200, consolesPerUser: 20, consolesPerMachine: 10 },
    });
    expect(config.redis).toBeUndefined();
    expect(tokenOf(config).secret()).toBe('token secret');
    expect(config.signIn.local?.usersFile()).toBe('users: []');
  });

  test('finds its own files beside itself, wherever the process was started', () => {
    write('token', 'from a file\n');
    write(
      'porthole.yaml',
      stringify(
        settings({ clusters: [aCluster({ credential: { token: 'a@pve!b', secretFile: 'token' } })] }),
      ),
    );
    const config = readConfig({ PORTHOLE_CONFIG: join(folder, 'porthole.yaml') }, '/');
    expect(tokenOf(config).secret()).toBe('from a file');
  });

  test('may give every secret as a file', () => {
    const files = { keys: key, token: 'one', password: 'two', redis: 'three', ca: 'four' };
    for (const [name, text] of Object.entries(files)) write(name, `${text}\n`);
    const config = read(
      settings({
        grantKeysFile: 'keys',
        redis: { url: 'rediss://redis:6379', passwordFile: 'redis', caFile: 'ca' },
        clusters: [
          aCluster({
            tls: { caFile: 'ca' },
            brokerCredential: { token: 'a@pve!b', secretFile: 'token' },
            relayCredential: { username: 'a@pve', passwordFile: 'password' },
          }),
        ],
      }),
    );
    const [cluster] = config.clusters;
    expect(config.grantKeys?.()).toBe(key);
    expect([config.redis?.password?.(), config.redis?.caFile?.()]).toEqual(['three', 'four']);
    expect(cluster?.tls.caFile?.()).toBe('four');
    expect(cluster?.brokerCredential).toMatchObject({ kind: 'token', token: 'a@pve!b' });
    expect(cluster?.relayCredential?.kind === 'password' && cluster.relayCredential.password()).toBe('two');
  });

  test('takes one URL or several, with or without a fingerprint', () => {
    const fingerprint = Array(32).fill('ab').join(':');
    const [cluster] = read(
      settings({
        clusters: [aCluster({ urls: ['https://a:8006', 'https://b'], tls: { fingerprints: fingerprint } })],
      }),
    ).clusters;
    expect(cluster?.urls.map(String)).toEqual(['https://a:8006/', 'https://b/']);
    expect(cluster?.tls.fingerprints).toEqual([fingerprint.toUpperCase()]);
  });

  test.each([
    ['wss://relay.example/x', 'wss://relay.example/x'],
    ['https://relay.example', 'wss://relay.example/'],
    ['HTTPS://relay.example', 'wss://relay.example/'],
    ['http://localhost:8081', 'ws://localhost:8081/'],
  ])('takes %s as the URL of the relays', (given, used) => {
    expect(read(settings({ relayUrl: given })).relayUrl?.href).toBe(used);
  });

  test.each([
    [':8080', { host: '0.0.0.0', port: 8080 }],
    ['127.0.0.1:1', { host: '127.0.0.1', port: 1 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
  ])('takes %s as an address to listen on', (given, used) => {
    expect(read(settings({ listen: given })).listen).toEqual(used);
  });

  test.each(['8080', 'localhost', ':', ':65536', '::1:80', 'a b:80'])('refuses to listen on %j', (given) => {
    expect(faultsOf(() => read(settings({ listen: given })))).toEqual([expect.stringMatching(/^listen: /)]);
  });
});

describe('the environment', () => {
  test('is enough for one cluster', () => {
    const config = readConfig(environment(), folder);
    expect(tokenOf(config)).toMatchObject({ token: 'porthole@pve!relay' });
    expect(config.clusters[0]?.urls.map(String)).toEqual(['https://pve1:8006/']);
  });

  test('puts every variable where it belongs', () => {
    write('ca.pem', 'the CA');
    const config = readConfig(
      {
        PORTHOLE_PUBLIC_URL: 'https://porthole.example',
        PORTHOLE_RELAY_URL: 'wss://relay.example',
        PORTHOLE_LISTEN: '127.0.0.1:1',
        PORTHOLE_OPERATIONS_LISTEN: '127.0.0.1:2',
        PORTHOLE_TRUSTED_PROXIES: '2',
        PORTHOLE_LOG_LEVEL: 'warn',
        PORTHOLE_GRANT_KEYS: key,
        PORTHOLE_REDIS_URL: 'rediss://redis:6379',
        PORTHOLE_REDIS_PASSWORD: 'redis password',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
        PORTHOLE_USERS_FILE: 'users.yaml',
        PORTHOLE_PROXMOX_URL: 'https://pve1:8006',
        PORTHOLE_PROXMOX_USERNAME: 'porthole@pve',
        PORTHOLE_PROXMOX_PASSWORD: 'proxmox password',
        PORTHOLE_PROXMOX_CA_FILE: 'ca.pem',
        PORTHOLE_PROXMOX_INSECURE_SKIP_VERIFY: 'true',
      },
      folder,
    );
    expect(config).toMatchObject({
      publicUrl: new URL('https://porthole.example'),
      relayUrl: new URL('wss://relay.example'),
      listen: { host: '127.0.0.1', port: 1 },
      operationsListen: { host: '127.0.0.1', port: 2 },
      trustedProxies: 2,
      logLevel: 'warn',
      redis: { url: 'rediss://redis:6379' },
      tracing: { endpoint: new URL('http://collector:4318'), sampleRatio: 1 },
      clusters: [
        { credential: { kind: 'password', username: 'porthole@pve' }, tls: { insecureSkipVerify: true } },
      ],
    });
    const [cluster] = config.clusters;
    expect(config.grantKeys?.()).toBe(key);
    expect(config.redis?.password?.()).toBe('redis password');
    expect(config.signIn.local?.usersFile()).toBe('users: []');
    expect(cluster?.credential.kind === 'password' && cluster.credential.password()).toBe('proxmox password');
    expect(cluster?.tls.caFile?.()).toBe('the CA');
    const fingerprint = Array(32).fill('AB').join(':');
    const pinned = readConfig(environment({ PORTHOLE_PROXMOX_FINGERPRINT: fingerprint }), folder);
    expect(pinned.clusters[0]?.tls.fingerprints).toEqual([fingerprint]);
  });

  test('is read of what OpenTelemetry names as far as that is ours', () => {
    const config = readConfig(
      environment({ OTEL_EXPORTER_OTLP_HEADERS: 'a=b', OTEL_SERVICE_NAME: 'x' }),
      folder,
    );
    expect(config.tracing).toEqual({ sampleRatio: 1 });
    expect(() => readConfig(environment({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' }), folder)).toThrow(
      'OTEL_EXPORTER_OTLP_ENDPOINT: must be an http:// or https:// URL',
    );
  });

  const secrets = environmentVariables.filter(({ secret }) => secret).map(({ name }) => name);

  test.each(secrets)('takes %s from a file, too', (name) => {
    write('secret', `${key}\n`);
    const others: Environment = {
      PORTHOLE_GRANT_KEYS: key,
      PORTHOLE_REDIS_URL: 'redis://redis',
      ...(name === 'PORTHOLE_PROXMOX_PASSWORD'
        ? {
            PORTHOLE_PROXMOX_TOKEN: undefined,
            PORTHOLE_PROXMOX_TOKEN_SECRET: undefined,
            PORTHOLE_PROXMOX_USERNAME: 'a@pve',
          }
        : {}),
    };
    const config = readConfig(
      environment({ ...others, [name]: undefined, [`${name}_FILE`]: 'secret' }),
      folder,
    );
    const credential = config.clusters[0]?.credential;
    const read = {
      PORTHOLE_GRANT_KEYS: config.grantKeys,
      PORTHOLE_REDIS_PASSWORD: config.redis?.password,
      PORTHOLE_PROXMOX_TOKEN_SECRET: credential?.kind === 'token' ? credential.secret : undefined,
      PORTHOLE_PROXMOX_PASSWORD: credential?.kind === 'password' ? credential.password : undefined,
    }[name];
    expect(read?.()).toBe(key);
  });

  test('is laid over the file', () => {
    const config = read(settings({ logLevel: 'warn', trustedProxies: 1 }), {
      PORTHOLE_LOG_LEVEL: 'debug',
      PORTHOLE_PROXMOX_URL: 'https://other:8006',
      PORTHOLE_PROXMOX_TOKEN_SECRET: 'other secret',
    });
    expect(config).toMatchObject({ logLevel: 'debug', trustedProxies: 1 });
    expect(config.clusters[0]?.urls.map(String)).toEqual(['https://other:8006/']);
    expect(tokenOf(config).secret()).toBe('other secret');
  });

  test('replaces a secret of the file in whichever way either gives it', () => {
    write('one', 'secret one');
    write('two', 'secret two');
    const inFile = { text: { secret: 'a text' }, file: { secretFile: 'one' } };
    for (const given of Object.values(inFile)) {
      const file = settings({ clusters: [aCluster({ credential: { token: 'a@pve!b', ...given } })] });
      expect(tokenOf(read(file, { PORTHOLE_PROXMOX_TOKEN_SECRET: 'mine' })).secret()).toBe('mine');
      expect(tokenOf(read(file, { PORTHOLE_PROXMOX_TOKEN_SECRET_FILE: 'two' })).secret()).toBe('secret two');
    }
  });

  test('changes the first cluster of several', () => {
    const clusters = [aCluster({ name: 'a' }), aCluster({ name: 'b' })];
    const config = read(settings({ clusters }), { PORTHOLE_PROXMOX_URL: 'https://other' });
    expect(config.clusters.map(({ urls }) => String(urls[0]))).toEqual([
      'https://other/',
      'https://pve1:8006/',
    ]);
  });

  test('counts for nothing where it is empty', () => {
    expect(readConfig(environment({ PORTHOLE_LOG_LEVEL: '', PORTHOLE_CONFIG: '' }), folder).logLevel).toBe(
      'info',
    );
  });

  test('is full of variables that Kubernetes makes for services of our name', () => {
    const links = {
      PORTHOLE_RELAY_SERVICE_HOST: '10.96.0.1',
      PORTHOLE_RELAY_SERVICE_PORT: '8080',
      PORTHOLE_RELAY_SERVICE_PORT_HTTP: '8080',
      PORTHOLE_RELAY_PORT: 'tcp://10.96.0.1:8080',
      PORTHOLE_RELAY_PORT_8080_TCP: 'tcp://10.96.0.1:8080',
      PORTHOLE_RELAY_PORT_8080_TCP_PROTO: 'tcp',
      PORTHOLE_RELAY_PORT_8080_TCP_PORT: '8080',
      PORTHOLE_RELAY_PORT_8080_TCP_ADDR: '10.96.0.1',
      PORTHOLE_PORT: 'tcp://10.96.0.1:8080',
      PORTHOLE_SERVICE_HOST: '10.96.0.1',
    };
    expect(faultsOf(() => readConfig(environment(links), folder))).toEqual([]);
  });

  test('is refused where it has a PORTHOLE_ variable that is no setting', () => {
    const odd = { PORTHOLE_TOKEN: 'x', PORTHOLE_LOGLEVEL: 'x', PORTHOLE_LOG_LEVEL_FILE: 'x', HOME: '/' };
    expect(faultsOf(() => readConfig(environment(odd), folder))).toEqual([
      'PORTHOLE_TOKEN: unknown setting',
      'PORTHOLE_LOGLEVEL: unknown setting',
      'PORTHOLE_LOG_LEVEL_FILE: unknown setting',
    ]);
  });
});

describe('a fault', () => {
  test('comes together with all the others, each with its path or its variable', () => {
    const file = {
      publicUrl: 'ftp://x',
      lisen: ':80',
      redis: { url: 'http://x', password: 'x' },
      clusters: [
        aCluster({ name: 'a', urls: ['http://x'], tls: { caFile: 'nope.pem', fingerprint: 'x' } }),
        aCluster({ name: 'a', urls: 'http://x', opensPerNode: 0, credential: { username: 'a@pve' } }),
      ],
      access: [{ who: { groups: ['x'] }, which: { vmids: ['a'] }, allow: ['all'] }],
    };
    const env = { PORTHOLE_NOPE: 'x', PORTHOLE_TRUSTED_PROXIES: 'many', PORTHOLE_USERS_FILE: 'gone.yaml' };
    const faults = faultsOf(() => read(file, env));
    for (const start of [
      'publicUrl: must be an http:// or https:// URL',
      'lisen: unknown setting',
      'redis.url: must be a redis:// or rediss:// URL',
      'clusters.0.urls.0: must be an https:// URL',
      'clusters.0.tls.caFile: the file ',
      'clusters.0.tls.fingerprint: unknown setting',
      'clusters.1.urls: must be an https:// URL',
      'clusters.1.opensPerNode: ',
      'clusters.1.credential: specify either token and secret, or username and password',
      'clusters: cluster names must be unique',
      'access.0.which.vmids.0: must be a vmid or a range such as "200-299"',
      'access.0.allow.0: ',
      'grantKeys: is required with Redis',
      'PORTHOLE_NOPE: unknown setting',
      'PORTHOLE_TRUSTED_PROXIES: ',
      'PORTHOLE_USERS_FILE: the file ',
    ])
      expect(faults).toContainEqual(expect.stringContaining(start));
    expect(faults).toHaveLength(16);
  });

  test('of what is missing says so, and nothing of types', () => {
    expect(faultsOf(() => readConfig({}, folder))).toEqual(['clusters: is required', 'signIn: is required']);
    expect(faultsOf(() => readConfig(environment({ PORTHOLE_PROXMOX_URL: undefined }), folder))).toEqual([
      'clusters.0.urls: is required',
    ]);
  });

  test('is a secret given twice', () => {
    write('token', 'x');
    const both = { token: 'a@pve!b', secret: 'x', secretFile: 'token' };
    expect(faultsOf(() => read(settings({ clusters: [aCluster({ credential: both })] })))).toEqual([
      'clusters.0.credential.secretFile: specify secret or secretFile, not both',
    ]);
    const env = environment({ PORTHOLE_PROXMOX_TOKEN_SECRET_FILE: 'token' });
    expect(faultsOf(() => readConfig(env, folder))).toEqual([
      'PORTHOLE_PROXMOX_TOKEN_SECRET_FILE: specify secret or secretFile, not both',
    ]);
  });

  test('is an empty secret, and a secret file that is empty or not there', () => {
    write('empty', '\n');
    const withSecret = (secret: Record<string, unknown>) => () =>
      read(settings({ clusters: [aCluster({ credential: { token: 'a@pve!b', ...secret } })] }));
    expect(faultsOf(withSecret({ secret: ' ' }))).toEqual(['clusters.0.credential.secret: is empty']);
    expect(faultsOf(withSecret({ secretFile: 'empty' }))).toEqual([
      `clusters.0.credential.secretFile: the file ${folder}/empty is empty`,
    ]);
    expect(faultsOf(withSecret({ secretFile: 'gone' }))).toEqual([
      `clusters.0.credential.secretFile: the file ${folder}/gone cannot be read`,
    ]);
    expect(faultsOf(withSecret({ secret: 1234 }))).toEqual([expect.stringContaining('must be a string')]);
  });

  test.each([
    ['short', 'grantKeys: each key must have at least 32 characters'],
    [`${key} short`, 'grantKeys: each key must have at least 32 characters'],
    [' , ', 'grantKeys: contains no key'],
  ])('are grant keys such as %j', (grantKeys, fault) => {
    expect(faultsOf(() => read(settings({ grantKeys })))).toEqual([expect.stringContaining(fault)]);
  });

  test('is Redis without grant keys', () => {
    expect(faultsOf(() => read(settings({ redis: { url: 'redis://redis' } })))).toEqual([
      'grantKeys: is required with Redis: broker and relay share the keys',
    ]);
  });

  test('an extended console that would end before one that is not is refused', () => {
    const limits = { sessionSeconds: 3600, maxSessionSeconds: 3599 };
    expect(faultsOf(() => read(settings({ limits })))).toEqual([
      'limits.maxSessionSeconds: must be at least sessionSeconds',
    ]);
  });

  test('is a time that no timer can hold', () => {
    const limits = { sessionSeconds: 604_801, idleSeconds: 604_801, queueSeconds: 604_801 };
    expect(faultsOf(() => read(settings({ limits })))).toEqual([
      'limits.sessionSeconds: must be at most 604800 (one week)',
      'limits.idleSeconds: must be at most 604800 (one week)',
      'limits.queueSeconds: must be at most 604800 (one week)',
    ]);
  });

  test('is a CA together with fingerprints', () => {
    write('ca.pem', 'x');
    const tls = { caFile: 'ca.pem', fingerprints: Array(32).fill('ab').join(':') };
    expect(faultsOf(() => read(settings({ clusters: [aCluster({ tls })] })))).toEqual([
      'clusters.0.tls: specify caFile or fingerprints, not both',
    ]);
  });

  test('is a file that is not there, or is no list of settings', () => {
    expect(faultsOf(() => readConfig({ PORTHOLE_CONFIG: 'gone.yaml', PORTHOLE_X: 'x' }, folder))).toEqual([
      'gone.yaml: cannot be read (ENOENT)',
      'PORTHOLE_X: unknown setting',
    ]);
    for (const text of ['- a\n- b', 'just a text', '42'])
      expect(faultsOf(() => read(text))).toEqual([expect.stringContaining('must contain settings')]);
  });

  test.each([
    ['logLevel: info\nlogLevel: warn', 'line 2, column 1: duplicate setting'],
    ['\tlogLevel: info', 'line 1, column 1: indent with spaces, not tabs'],
    ['grantKeys: "abc', 'line 1, column 16: a quote or a bracket is not closed'],
    ['grantKeys: @abc', 'line 1, column 12: a value that begins with a special character needs quotes'],
    ['grantKeys: !abc', 'line 1, column 12: a value that begins with "!" needs quotes'],
    ['grantKeys: *abc', 'a value that begins with "*" needs quotes'],
  ])('is YAML such as %j, and says where', (text, fault) => {
    expect(faultsOf(() => read(text))).toEqual([`porthole.yaml: ${fault}`]);
  });

  test('never quotes a secret', () => {
    const aSecret = fc
      .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 })
      .map((odd) => `${odd}hunter2${odd}`);
    const asWritten = fc.constantFrom(
      (secret: string) => secret,
      (secret: string) => `"${secret}`,
      (secret: string) => `'${secret}`,
      (secret: string) => `|${secret}`,
      (secret: string) => `!${secret} x`,
      (secret: string) => `*${secret}`,
      (secret: string) => `&${secret} [`,
      (secret: string) => `{${secret}`,
      (secret: string) => JSON.stringify([secret]),
      (secret: string) => JSON.stringify(secret),
    );
    const warnings: string[] = [];
    const listener = (warning: Error) => void warnings.push(warning.message);
    process.on('warning', listener);
    fc.assert(
      fc.property(aSecret, asWritten, fc.integer({ min: 0, max: 4 }), (secret, write, place) => {
        const line = (index: number) => (index === place ? write(secret) : 'fine');
        const file = [
          `grantKeys: ${line(0)}`,
          'clusters:',
          '  - urls: http://wrong',
          '    credential:',
          `      token: ${line(1)}`,
          `      secret: ${line(2)}`,
          'redis:',
          `  url: ${line(3)}`,
          `  password: ${line(4)}`,
        ].join('\n');
        const env = { PORTHOLE_PROXMOX_PASSWORD: secret, PORTHOLE_REDIS_URL: `redis//:${secret}@x` };
        const message = new ConfigError(faultsOf(() => read(file, env))).message;
        expect(message).not.toContain('hunter2');
      }),
      { numRuns: 300 },
    );
    process.off('warning', listener);
    expect(warnings).toEqual([]);
  });
});

describe('a secret file', () => {
  test('is read again when it changes, and a running configuration sees it', () => {
    write('keys', key);
    const config = read(settings({ grantKeysFile: 'keys' }));
    const keys = grantKeysOf(config.grantKeys ?? (() => ''));
    expect(keys()).toEqual([key]);
    write('keys', `${'n'.repeat(32)},\n ${key}\n`);
    expect(keys()).toEqual(['n'.repeat(32), key]);
  });

  test('is read again when it was replaced by one with the same time and size', () => {
    const then = new Date(2026, 0, 1);
    const path = write('secret', 'one');
    utimesSync(path, then, then);
    const secret = secretFile(path);
    expect(secret()).toBe('one');
    utimesSync(write('next', 'two'), then, then);
    renameSync(join(folder, 'next'), path);
    expect(secret()).toBe('two');
  });

  test('keeps its last good text while it is away or empty', () => {
    const path = write('secret', 'one');
    const secret = secretFile(path);
    expect(secret()).toBe('one');
    write('secret', '');
    expect(secret()).toBe('one');
    rmSync(path);
    expect(secret()).toBe('one');
    write('secret', 'three');
    expect(secret()).toBe('three');
  });

  test('that was never there is an error that names it', () => {
    expect(secretFile(join(folder, 'gone'))).toThrow('gone');
  });
});
