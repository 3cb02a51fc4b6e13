import { join } from 'node:path';
import { readConfig } from '@porthole/shared/config/read';
import { stringify } from 'yaml';
import { aCluster, configFolder, issuesOf, grantKey, settings, tokenOf } from './config-files.ts';

const { folder, read, write } = configFolder();

describe('a configuration file', () => {
  test('requires a cluster and users, and has defaults for all other settings', () => {
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

  test('resolves paths relative to itself, whatever the working directory', () => {
    write('token', 'from a file\n');
    write(
      'porthole.yaml',
      stringify(
        settings({ clusters: [aCluster({ credential: { token: 'a@pve!b', secretFile: 'token' } })] }),
      ),
    );
    const config = readConfig({ PORTHOLE_CONFIG: join(folder(), 'porthole.yaml') }, '/');
    expect(tokenOf(config).secret()).toBe('from a file');
  });

  test('accepts each secret as a file', () => {
    const files = { keys: grantKey, token: 'one', password: 'two', redis: 'three', ca: 'four' };
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
    expect(config.grantKeys?.()).toBe(grantKey);
    expect([config.redis?.password?.(), config.redis?.caFile?.()]).toEqual(['three', 'four']);
    expect(cluster?.tls.caFile?.()).toBe('four');
    expect(cluster?.brokerCredential).toMatchObject({ kind: 'token', token: 'a@pve!b' });
    expect(cluster?.relayCredential?.kind === 'password' && cluster.relayCredential.password()).toBe('two');
  });

  test('accepts one or several URLs and fingerprints', () => {
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
  ])('accepts %s as the URL of the relays', (given, used) => {
    expect(read(settings({ relayUrl: given })).relayUrl?.href).toBe(used);
  });

  test.each([
    [':8080', { host: '0.0.0.0', port: 8080 }],
    ['127.0.0.1:1', { host: '127.0.0.1', port: 1 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
  ])('accepts %s as an address to listen on', (given, used) => {
    expect(read(settings({ listen: given })).listen).toEqual(used);
  });

  test.each([
    ['10.0.0.5:8081', '10.0.0.5:8081'],
    ['relay-1.example:65535', 'relay-1.example:65535'],
    ['[fd00::5]:8081', '[fd00::5]:8081'],
    // As Kubernetes gives the address of a pod.
    ['fd00::5:8081', '[fd00::5]:8081'],
  ])('accepts %s as the address for other relays', (given, used) => {
    expect(read(settings({ sharing: { internalAddress: given } })).sharing.internalAddress).toBe(used);
  });

  test.each(['8081', ':8081', '10.0.0.5', '10.0.0.5:0', '10.0.0.5:65536', 'a b:1', 'u@host:1', 'host/x:1'])(
    'rejects %j as the address for other relays',
    (given) => {
      expect(issuesOf(() => read(settings({ sharing: { internalAddress: given } })))).toEqual([
        expect.stringMatching(/^sharing.internalAddress: must be /),
      ]);
    },
  );

  test.each(['8080', 'localhost', ':', ':65536', '::1:80', 'a b:80'])(
    'rejects %j as an address to listen on',
    (given) => {
      expect(issuesOf(() => read(settings({ listen: given })))).toEqual([expect.stringMatching(/^listen: /)]);
    },
  );
});
