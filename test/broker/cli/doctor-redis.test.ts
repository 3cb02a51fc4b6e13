import { createCertificateAuthority } from '../../fakes/proxmox/certificates.ts';
import { freePort } from '../../free-port.ts';
import { describeWith } from '../../needs.ts';
import { kinds, useDoctor } from './doctor-rig.ts';

const { aCluster, aRedis, pathOf, runDoctor, writeInFolder } = useDoctor();

describeWith('redis')('the doctor', () => {
  describe('reports', () => {
    test('no Redis, which is a warning', async () => {
      await aCluster();
      const result = await runDoctor({ redis: undefined });
      expect([result.code, ...kinds(result)]).toEqual([0, 'memory_only']);
    });

    test('an unreachable Redis', async () => {
      await aCluster();
      await (await aRedis()).kill();
      expect(kinds(await runDoctor())).toEqual(['store_unreachable']);
    });

    test('a Redis that requires a password', async () => {
      await aCluster();
      const redis = await aRedis({ password: 'password of redis' });
      const url = `redis://127.0.0.1:${redis.port}`;
      expect(kinds(await runDoctor({ redis: { url } }))).toEqual(['store_credential']);
      expect(kinds(await runDoctor({ redis: { url, password: 'another password' } }))).toEqual([
        'store_credential',
      ]);
    });

    test('a Redis with a certificate of an unknown CA', async () => {
      await aCluster();
      const authority = createCertificateAuthority();
      const { certPem, keyPem } = authority.issue({
        name: 'redis',
        fqdn: 'redis.test',
        address: '127.0.0.1',
      });
      const files = { 'cert.pem': certPem, 'key.pem': keyPem, 'redis-ca.pem': authority.caPem };
      for (const [name, text] of Object.entries(files)) await writeInFolder(name, text);
      const port = await freePort();
      await aRedis({
        config: [
          `tls-port ${port}`,
          `tls-cert-file ${pathOf('cert.pem')}`,
          `tls-key-file ${pathOf('key.pem')}`,
          `tls-ca-cert-file ${pathOf('redis-ca.pem')}`,
          'tls-auth-clients no',
        ],
      });
      const url = `rediss://127.0.0.1:${port}`;
      expect(kinds(await runDoctor({ redis: { url } }))).toEqual(['store_tls']);
      expect(kinds(await runDoctor({ redis: { url, caFile: 'redis-ca.pem' } }))).toEqual([]);
    });

    test('the commands that the Redis user may not run', async () => {
      await aCluster();
      const redis = await aRedis({
        config: ['user porthole on >secretly ~porthole:* &porthole:* +@all -strlen -zrank'],
      });
      const url = `redis://127.0.0.1:${redis.port}`;
      const { found } = await runDoctor({ redis: { url, username: 'porthole', password: 'secretly' } });
      expect(found).toMatchObject([
        { kind: 'store_permission', what: expect.stringContaining('strlen, zrank') },
      ]);
    });

    test('a Redis that evicts keys', async () => {
      await aCluster();
      await aRedis({ config: ['maxmemory-policy allkeys-lru'] });
      const { code, found } = await runDoctor();
      expect(code).toBe(1);
      expect(found).toMatchObject([{ kind: 'store_evicts', what: expect.stringContaining('allkeys-lru') }]);
    });
  });
});
