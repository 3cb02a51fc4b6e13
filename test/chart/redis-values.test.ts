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
});
