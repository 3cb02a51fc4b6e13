import { stringify } from 'yaml';
import { environmentVariables } from '@porthole/shared/config/environment';
import { readConfig } from '@porthole/shared/config/read';
import {
  aCluster,
  configFolder,
  environment,
  issuesOf,
  grantKey,
  settings,
  tokenOf,
} from './config-files.ts';
import type { Environment } from './config-files.ts';

const { folder, read, write } = configFolder();

describe('the environment', () => {
  test('is enough for one cluster', () => {
    const config = readConfig(environment(), folder());
    expect(tokenOf(config)).toMatchObject({ token: 'porthole@pve!relay' });
    expect(config.clusters[0]?.urls.map(String)).toEqual(['https://pve1:8006/']);
  });

  test('contains the text of the file in PORTHOLE_CONFIG_YAML, with paths from the working directory', () => {
    write('token', 'token secret');
    const credential = { token: 'porthole@pve!relay', secretFile: 'token' };
    const text = stringify(settings({ logLevel: 'warn', clusters: [aCluster({ credential })] }));
    const config = readConfig({ PORTHOLE_CONFIG_YAML: text, PORTHOLE_CONFIG: '' }, folder());
    expect(config.logLevel).toBe('warn');
    expect(tokenOf(config).secret()).toBe('token secret');
    expect(readConfig({ PORTHOLE_CONFIG_YAML: text, PORTHOLE_LOG_LEVEL: 'error' }, folder()).logLevel).toBe(
      'error',
    );
  });

  test('sets each variable at its path', () => {
    write('ca.pem', 'the CA');
    const config = readConfig(
      {
        PORTHOLE_PUBLIC_URL: 'https://porthole.example',
        PORTHOLE_RELAY_URL: 'wss://relay.example',
        PORTHOLE_LISTEN: '127.0.0.1:1',
        PORTHOLE_OPERATIONS_LISTEN: '127.0.0.1:2',
        PORTHOLE_TRUSTED_PROXIES: '2',
        PORTHOLE_LOG_LEVEL: 'warn',
        PORTHOLE_SHARING_INTERNAL_ADDRESS: 'fd00::5:8081',
        PORTHOLE_GRANT_KEYS: grantKey,
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
      folder(),
    );
    expect(config).toMatchObject({
      publicUrl: new URL('https://porthole.example'),
      relayUrl: new URL('wss://relay.example'),
      listen: { host: '127.0.0.1', port: 1 },
      operationsListen: { host: '127.0.0.1', port: 2 },
      trustedProxies: 2,
      logLevel: 'warn',
      // Kubernetes gives the address of a pod without brackets.
      sharing: { internalAddress: '[fd00::5]:8081' },
      redis: { url: 'rediss://redis:6379' },
      tracing: { endpoint: new URL('http://collector:4318'), sampleRatio: 1 },
      clusters: [
        { credential: { kind: 'password', username: 'porthole@pve' }, tls: { insecureSkipVerify: true } },
      ],
    });
    const [cluster] = config.clusters;
    expect(config.grantKeys?.()).toBe(grantKey);
    expect(config.redis?.password?.()).toBe('redis password');
    expect(config.signIn.local?.usersFile()).toBe('users: []');
    expect(cluster?.credential.kind === 'password' && cluster.credential.password()).toBe('proxmox password');
    expect(cluster?.tls.caFile?.()).toBe('the CA');
    const fingerprint = Array(32).fill('AB').join(':');
    const pinned = readConfig(environment({ PORTHOLE_PROXMOX_FINGERPRINT: fingerprint }), folder());
    expect(pinned.clusters[0]?.tls.fingerprints).toEqual([fingerprint]);
  });

  test('includes the OpenTelemetry variables that Porthole supports', () => {
    const config = readConfig(
      environment({ OTEL_EXPORTER_OTLP_HEADERS: 'a=b', OTEL_SERVICE_NAME: 'x' }),
      folder(),
    );
    expect(config.tracing).toEqual({ sampleRatio: 1 });
    expect(() => readConfig(environment({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' }), folder())).toThrow(
      'OTEL_EXPORTER_OTLP_ENDPOINT: must be an http:// or https:// URL',
    );
  });

  const secrets = environmentVariables.filter(({ secret }) => secret).map(({ name }) => name);

  const recordings = {
    encryptionKeys: 'r'.repeat(32),
    storage: { s3: { bucket: 'lab', accessKeyId: 'id', secretAccessKey: 'key' } },
  };

  test.each(secrets)('also accepts %s as a file', (name) => {
    write('secret', `${grantKey}\n`);
    const others: Environment = {
      PORTHOLE_GRANT_KEYS: grantKey,
      PORTHOLE_REDIS_URL: 'redis://redis',
      ...(name === 'PORTHOLE_PROXMOX_PASSWORD'
        ? {
            PORTHOLE_PROXMOX_TOKEN: undefined,
            PORTHOLE_PROXMOX_TOKEN_SECRET: undefined,
            PORTHOLE_PROXMOX_USERNAME: 'a@pve',
          }
        : {}),
      ...(name.startsWith('PORTHOLE_RECORDINGS_') ? { PORTHOLE_CONFIG_YAML: stringify({ recordings }) } : {}),
    };
    const config = readConfig(
      environment({ ...others, [name]: undefined, [`${name}_FILE`]: 'secret' }),
      folder(),
    );
    const credential = config.clusters[0]?.credential;
    const read = {
      PORTHOLE_GRANT_KEYS: config.grantKeys,
      PORTHOLE_REDIS_PASSWORD: config.redis?.password,
      PORTHOLE_PROXMOX_TOKEN_SECRET: credential?.kind === 'token' ? credential.secret : undefined,
      PORTHOLE_PROXMOX_PASSWORD: credential?.kind === 'password' ? credential.password : undefined,
      PORTHOLE_RECORDINGS_ENCRYPTION_KEYS: config.recordings?.encryptionKeys,
      PORTHOLE_RECORDINGS_S3_ACCESS_KEY_ID: config.recordings?.storage.s3?.accessKeyId,
      PORTHOLE_RECORDINGS_S3_SECRET_ACCESS_KEY: config.recordings?.storage.s3?.secretAccessKey,
    }[name];
    expect(read?.()).toBe(grantKey);
  });

  test('overrides the file', () => {
    const config = read(settings({ logLevel: 'warn', trustedProxies: 1 }), {
      PORTHOLE_LOG_LEVEL: 'debug',
      PORTHOLE_PROXMOX_URL: 'https://other:8006',
      PORTHOLE_PROXMOX_TOKEN_SECRET: 'other secret',
    });
    expect(config).toMatchObject({ logLevel: 'debug', trustedProxies: 1 });
    expect(config.clusters[0]?.urls.map(String)).toEqual(['https://other:8006/']);
    expect(tokenOf(config).secret()).toBe('other secret');
  });

  test('overrides a secret of the file, given as text or as a file', () => {
    write('one', 'secret one');
    write('two', 'secret two');
    const inFile = { text: { secret: 'a text' }, file: { secretFile: 'one' } };
    for (const given of Object.values(inFile)) {
      const file = settings({ clusters: [aCluster({ credential: { token: 'a@pve!b', ...given } })] });
      expect(tokenOf(read(file, { PORTHOLE_PROXMOX_TOKEN_SECRET: 'mine' })).secret()).toBe('mine');
      expect(tokenOf(read(file, { PORTHOLE_PROXMOX_TOKEN_SECRET_FILE: 'two' })).secret()).toBe('secret two');
    }
  });

  test('overrides the first of several clusters', () => {
    const clusters = [aCluster({ name: 'a' }), aCluster({ name: 'b' })];
    const config = read(settings({ clusters }), { PORTHOLE_PROXMOX_URL: 'https://other' });
    expect(config.clusters.map(({ urls }) => String(urls[0]))).toEqual([
      'https://other/',
      'https://pve1:8006/',
    ]);
  });

  test('ignores empty variables', () => {
    expect(readConfig(environment({ PORTHOLE_LOG_LEVEL: '', PORTHOLE_CONFIG: '' }), folder()).logLevel).toBe(
      'info',
    );
  });

  test('ignores the variables that Kubernetes sets for Services', () => {
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
    expect(issuesOf(() => readConfig(environment(links), folder()))).toEqual([]);
  });

  test('is rejected if it has an unknown PORTHOLE_ variable', () => {
    const odd = { PORTHOLE_TOKEN: 'x', PORTHOLE_LOGLEVEL: 'x', PORTHOLE_LOG_LEVEL_FILE: 'x', HOME: '/' };
    expect(issuesOf(() => readConfig(environment(odd), folder()))).toEqual([
      'PORTHOLE_TOKEN: unknown setting',
      'PORTHOLE_LOGLEVEL: unknown setting',
      'PORTHOLE_LOG_LEVEL_FILE: unknown setting',
    ]);
  });
});
