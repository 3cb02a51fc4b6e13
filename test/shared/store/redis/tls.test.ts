import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { secretFile } from '@porthole/shared/config/secret';
import {
  createCertificateAuthority,
  type CertificateAuthority,
} from '../../../fakes/proxmox/certificates.ts';
import { startRedisServer, type RedisServer } from '../../../fakes/redis-server.ts';
import { freePort } from '../../../free-port.ts';
import { describeWith } from '../../../needs.ts';
import { documentedRights } from './acl.ts';
import { exercise } from '../exercise-store.ts';
import { eventually } from '../../../eventually.ts';
import { recordedLog, redisStores } from '../store-harness.ts';

const host = { name: 'redis', fqdn: 'redis.example', address: '127.0.0.1' };

describeWith('redis')('the store on Redis with TLS and a user', () => {
  const { open } = redisStores();
  let folder: string;
  let server: RedisServer;
  let tlsPort: number;
  let authority: CertificateAuthority;

  /** The test inspects the server on its port without TLS. */
  async function start(...config: string[]): Promise<void> {
    tlsPort = await freePort();
    server = await startRedisServer({
      config: [
        `tls-port ${tlsPort}`,
        `tls-cert-file ${join(folder, 'cert.pem')}`,
        `tls-key-file ${join(folder, 'key.pem')}`,
        `tls-ca-cert-file ${join(folder, 'ca.pem')}`,
        ...config,
      ],
    });
    await addUser();
  }

  async function addUser(): Promise<void> {
    const admin = new Redis(server.url);
    await admin.call('ACL', 'SETUSER', 'porthole', 'reset', 'on', '>secret', ...documentedRights('acl'));
    admin.disconnect();
  }

  async function certify(by: CertificateAuthority): Promise<void> {
    const { certPem, keyPem } = by.issue(host);
    await writeFile(join(folder, 'cert.pem'), certPem);
    await writeFile(join(folder, 'key.pem'), keyPem);
    await writeFile(join(folder, 'ca.pem'), by.caPem);
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'porthole-redis-tls-'));
    authority = createCertificateAuthority();
    await certify(authority);
  });
  afterEach(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const address = (tls: object) => ({
    mode: 'standalone' as const,
    url: `rediss://127.0.0.1:${tlsPort}`,
    username: 'porthole',
    password: () => 'secret',
    tls,
  });

  test('needs only the documented rights', async () => {
    await start('tls-auth-clients no');
    const { log, lines } = recordedLog();
    await exercise(await open(address({ ca: authority.caPem }), log));
    expect(lines).toEqual([]);
  });

  test('is not used if its certificate is for another host', async () => {
    await start('tls-auth-clients no');
    const { log, linesWith } = recordedLog();
    const store = await open(address({ ca: createCertificateAuthority().caPem }), log);
    expect(await store.healthy()).toBe(false);
    await eventually(() => expect(linesWith('redis is unavailable').length).toBeGreaterThan(0));
  });

  test('is used again after its CA was replaced, as soon as the CA file is', async () => {
    await start('tls-auth-clients no');
    const file = join(folder, 'ours.pem');
    await writeFile(file, authority.caPem);
    const store = await open(address({ ca: secretFile(file) }));
    expect(await store.healthy()).toBe(true);

    const next = createCertificateAuthority();
    await certify(next);
    await server.kill();
    await server.restart();
    await addUser();
    await eventually(async () => expect(await store.healthy()).toBe(false));
    await writeFile(file, next.caPem);
    await eventually(() => exercise(store));
  });

  test('gets a client certificate if it requires one', async () => {
    await start('tls-auth-clients yes');
    expect(await (await open(address({ ca: authority.caPem }))).healthy()).toBe(false);
    const ours = authority.issue({
      name: 'porthole',
      fqdn: 'porthole.example',
      address: '127.0.0.1',
      use: 'client',
    });
    const store = await open(
      address({ ca: authority.caPem, cert: () => ours.certPem, key: () => ours.keyPem }),
    );
    await exercise(store);
  });
});
