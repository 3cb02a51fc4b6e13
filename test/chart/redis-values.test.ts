import { parse } from 'yaml';
import { describeWith } from '../needs.ts';
import { configOf } from './config-of.ts';
import { readExample } from './installations.ts';
import { findManifest, render, type Manifest } from './render.ts';

function redisSettings(manifests: readonly Manifest[]): unknown {
  return (parse(configOf(manifests, 'relay')) as { redis: unknown }).redis;
}

function redisPorts(manifests: readonly Manifest[]): unknown {
  return findManifest(manifests, 'NetworkPolicy', 'porthole-relay')['spec'].egress[1].ports;
}

describeWith('helm')('Redis values', () => {
  test('configure Sentinel, and the NetworkPolicy allows its ports', () => {
    const manifests = render('production', readExample('redis-sentinel'));
    expect(redisSettings(manifests)).toEqual({
      sentinel: {
        name: 'mymaster',
        nodes: ['sentinel-0.redis:26379', 'sentinel-1.redis:26379', 'sentinel-2.redis:26379'],
        passwordFile: '/etc/porthole/secrets/redis/sentinel',
      },
      username: 'porthole',
      tls: true,
      passwordFile: '/etc/porthole/secrets/redis/password',
      caFile: '/etc/porthole/secrets/redis/ca.pem',
    });
    expect(redisPorts(manifests)).toEqual([{ port: 6379 }, { port: 26_379 }]);
  });

  test('configure Cluster, and the NetworkPolicy allows its port', () => {
    const manifests = render('production', readExample('redis-cluster'));
    expect(redisSettings(manifests)).toMatchObject({
      cluster: { nodes: ['redis-0.redis:6379', 'redis-1.redis:6379', 'redis-2.redis:6379'] },
      serverName: 'redis.example.org',
      certFile: '/etc/porthole/secrets/redis/tls.crt',
      keyFile: '/etc/porthole/secrets/redis/tls.key',
    });
    expect(redisPorts(manifests)).toEqual([{ port: 6379 }]);
  });

  test('allow the port of redis.url and the additional ports', () => {
    expect(redisPorts(render('production'))).toEqual([{ port: 6380 }]);
    expect(redisPorts(render('production', { redis: { extraPorts: [7000] } }))).toEqual([
      { port: 6380 },
      { port: 7000 },
    ]);
  });

  const valkeyOf = (manifests: readonly Manifest[]) =>
    manifests.filter(({ metadata }) => metadata.name === 'porthole-valkey').map(({ kind }) => kind);
  const redisVolume = (manifests: readonly Manifest[], component: string) =>
    findManifest(manifests, 'Deployment', `porthole-${component}`)['spec'].template.spec.volumes.find(
      ({ name }: { name: string }) => name === 'redis',
    );

  test('deploy a Valkey with a generated password and a volume', () => {
    const manifests = render('evaluation', {
      redis: { valkey: { persistence: { enabled: true, size: '2Gi', storageClassName: 'fast' } } },
      global: { imagePullSecrets: ['registry'] },
    });
    expect(valkeyOf(manifests).toSorted()).toEqual([
      'NetworkPolicy',
      'PersistentVolumeClaim',
      'Secret',
      'Service',
      'StatefulSet',
    ]);
    expect(redisSettings(manifests)).toEqual({
      url: 'redis://porthole-valkey:6379',
      passwordFile: '/etc/porthole/secrets/redis/password',
    });
    for (const component of ['broker', 'relay'])
      expect(redisVolume(manifests, component)).toEqual({
        name: 'redis',
        secret: { secretName: 'porthole-valkey' },
      });
    const { data } = findManifest(manifests, 'Secret', 'porthole-valkey');
    expect(Buffer.from(data.password, 'base64').toString()).toMatch(/^\w{32}$/);
    expect(findManifest(manifests, 'PersistentVolumeClaim', 'porthole-valkey')['spec']).toEqual({
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      resources: { requests: { storage: '2Gi' } },
    });
    const { spec } = findManifest(manifests, 'StatefulSet', 'porthole-valkey')['spec'].template;
    expect(spec.imagePullSecrets).toEqual([{ name: 'registry' }]);
    expect(spec.volumes).toContainEqual({
      name: 'data',
      persistentVolumeClaim: { claimName: 'porthole-valkey' },
    });
  });

  test('take the password of Valkey from an existing Secret', () => {
    const manifests = render('evaluation', {
      redis: { valkey: { existingSecret: 'mine', passwordKey: 'pw' } },
    });
    expect(valkeyOf(manifests)).not.toContain('Secret');
    expect(redisSettings(manifests)).toMatchObject({ passwordFile: '/etc/porthole/secrets/redis/pw' });
    expect(redisVolume(manifests, 'relay').secret).toEqual({ secretName: 'mine' });
    const { spec } = findManifest(manifests, 'StatefulSet', 'porthole-valkey')['spec'].template;
    expect(spec.volumes).toContainEqual({ name: 'password', secret: { secretName: 'mine' } });
    expect(JSON.stringify(spec.containers[0].command)).toContain('/etc/valkey/pw');
  });

  test('keep Valkey for the old pods while new pods get another Redis, and removing it restarts no pod', () => {
    const redis = { url: 'rediss://redis.example.org:6380', existingSecret: 'porthole-redis' };
    const moving = render('evaluation', { redis: { ...redis, valkey: { enabled: true } } });
    expect(valkeyOf(moving)).toContain('StatefulSet');
    expect(redisSettings(moving)).toEqual({
      url: redis.url,
      passwordFile: '/etc/porthole/secrets/redis/password',
    });
    expect(redisVolume(moving, 'broker').secret).toEqual({ secretName: 'porthole-redis' });
    // The NetworkPolicies apply to old pods, too.
    expect(redisPorts(moving)).toEqual([{ port: 6380 }, { port: 6379 }]);

    const moved = render('evaluation', { redis: { ...redis, valkey: { enabled: false } } });
    expect(valkeyOf(moved)).toEqual([]);
    expect(redisPorts(moved)).toEqual([{ port: 6380 }]);
    for (const name of ['porthole-broker', 'porthole-relay'])
      expect(findManifest(moved, 'Deployment', name)).toEqual(findManifest(moving, 'Deployment', name));
  });

  test('allow additional peers to connect to Valkey', () => {
    const peer = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'redis' } } };
    const manifests = render('evaluation', { redis: { valkey: { ingressFrom: [peer] } } });
    const [{ from }] = findManifest(manifests, 'NetworkPolicy', 'porthole-valkey')['spec'].ingress;
    expect(from).toHaveLength(4);
    expect(from[3]).toEqual(peer);
  });
});
