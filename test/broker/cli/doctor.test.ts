import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { porthole } from '@porthole/broker/cli/porthole';
import { findingKinds, type FindingKind } from '@porthole/broker/cli/doctor/findings';
import { createFakeClock } from '../../fakes/clock.ts';
import { createCertificateAuthority } from '../../fakes/proxmox/certificates.ts';
import {
  createFakeProxmox,
  type FakeProxmox,
  type FakeProxmoxOptions,
} from '../../fakes/proxmox/fake-proxmox.ts';
import { freePort } from '../../free-port.ts';
import { startRedisServer, type RedisServer } from '../../fakes/redis-server.ts';
import { describeWith } from '../../needs.ts';
import { startProcess, type ServiceProcess } from '../../standalone/service-process.ts';
import { aUser, brokerToken, someGuests, usersFile } from '../rig.ts';

// One file for all checks, because they share the folder, the cluster and Redis.
const grantKey = 'k'.repeat(40);
const everything = ['VM.Console', 'VM.Audit', 'VM.PowerMgmt', 'Sys.Audit', 'Sys.Console', 'Pool.Audit'];
const secrets = [brokerToken.secret, grantKey, 'password of redis'];

let folder: string;
let fake: FakeProxmox;
let redis: RedisServer | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'porthole-doctor-'));
  await writeFile(join(folder, 'users.yaml'), usersFile(aUser('anna')));
});
afterEach(async () => {
  await fake.close();
  await redis?.stop();
  redis = undefined;
  await rm(folder, { recursive: true });
});

async function aCluster(options: FakeProxmoxOptions = {}): Promise<void> {
  fake = await createFakeProxmox({
    unauthorizedDelayMs: 0,
    statusRefreshMs: 0,
    users: [{ userid: 'porthole@pve', password: 'unused', acl: { '/': everything } }],
    tokens: [{ ...brokerToken, privsep: false }],
    guests: someGuests,
    ...options,
  });
  await writeFile(join(folder, 'ca.pem'), fake.caPem);
}

/** A cluster of a valid configuration. */
const clusterOf = (different: object = {}) => ({
  name: 'lab',
  urls: [fake.url('pve1'), fake.url('pve2')],
  nodes: Object.fromEntries(fake.nodes.map(({ name, url }) => [name, url])),
  credential: { token: brokerToken.tokenid, secret: brokerToken.secret },
  tls: { caFile: 'ca.pem' },
  ...different,
});

interface DoctorResult {
  readonly code: number;
  readonly text: string;
  readonly found: readonly { readonly kind: FindingKind; readonly where: string; readonly what: string }[];
}

async function runDoctor(different: object = {}, args: readonly string[] = []): Promise<DoctorResult> {
  const config = {
    publicUrl: 'https://porthole.example',
    grantKeys: grantKey,
    ...(redis ? { redis: { url: redis.url } } : {}),
    clusters: [clusterOf()],
    signIn: { local: { usersFile: 'users.yaml' } },
    access: [{ who: { everyone: true }, which: { all: true }, allow: ['control', 'power'] }],
    ...different,
  };
  await writeFile(join(folder, 'porthole.yaml'), JSON.stringify(config));
  const run = async (...more: readonly string[]) => {
    let text = '';
    const write = (piece: string) => (text += piece);
    const code = await porthole(['doctor', ...args, ...more], {
      stdin: process.stdin,
      stdout: { write },
      stderr: { write },
      env: { PORTHOLE_CONFIG: join(folder, 'porthole.yaml') },
      cwd: folder,
      exit: () => {},
    });
    return { code, text };
  };
  const { code, text } = await run();
  const json = await run('--json');
  expect(json.code).toBe(code);
  for (const secret of secrets) expect(text + json.text).not.toContain(secret);
  const { findings } = JSON.parse(json.text) as { findings: DoctorResult['found'] };
  for (const { kind } of findings) expect(text).toContain(findingKinds[kind].remedy);
  return { code, text, found: findings };
}

const kinds = ({ found }: DoctorResult) => found.map(({ kind }) => kind);

test('docs/doctor.md lists exactly the findings, with level and remedy', async () => {
  await aCluster();
  const page = await readFile(new URL('../../../docs/doctor.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` +\| (\w+) +\| (.+?) +\|$/gm)].map(([, ...cells]) => cells);
  expect(rows).toEqual(
    Object.entries(findingKinds).map(([kind, { level, remedy }]) => [kind, level, remedy]),
  );
});

describeWith('redis')('the doctor', () => {
  beforeEach(async () => {
    redis = await startRedisServer();
  });

  test('finds no problem in a working installation, and changes nothing', async () => {
    await aCluster();
    const { code, text } = await runDoctor();
    expect([code, text]).toEqual([0, 'No problems found.\n']);
    expect(fake.calls.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  describe('reports', () => {
    test('an invalid configuration', async () => {
      await aCluster();
      const { code, found } = await runDoctor({ publicUrl: 'http://porthole.example' });
      expect(code).toBe(1);
      expect(found).toMatchObject([{ kind: 'config_invalid', what: expect.stringContaining('publicUrl') }]);
    });

    test('no Redis, which is a warning', async () => {
      await aCluster();
      const result = await runDoctor({ redis: undefined });
      expect([result.code, ...kinds(result)]).toEqual([0, 'memory_only']);
    });

    test('an unreachable Redis', async () => {
      await aCluster();
      await redis?.kill();
      expect(kinds(await runDoctor())).toEqual(['store_unreachable']);
    });

    test('a Redis that requires a password', async () => {
      await aCluster();
      await redis?.stop();
      redis = await startRedisServer({ password: 'password of redis' });
      const url = `redis://127.0.0.1:${redis.port}`;
      expect(kinds(await runDoctor({ redis: { url } }))).toEqual(['store_credential']);
      expect(kinds(await runDoctor({ redis: { url, password: 'another password' } }))).toEqual([
        'store_credential',
      ]);
    });

    test('a Redis with a certificate of an unknown CA', async () => {
      await aCluster();
      await redis?.stop();
      const authority = createCertificateAuthority();
      const { certPem, keyPem } = authority.issue({
        name: 'redis',
        fqdn: 'redis.test',
        address: '127.0.0.1',
      });
      const files = { 'cert.pem': certPem, 'key.pem': keyPem, 'redis-ca.pem': authority.caPem };
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
      const port = await freePort();
      redis = await startRedisServer({
        config: [
          `tls-port ${port}`,
          `tls-cert-file ${join(folder, 'cert.pem')}`,
          `tls-key-file ${join(folder, 'key.pem')}`,
          `tls-ca-cert-file ${join(folder, 'redis-ca.pem')}`,
          'tls-auth-clients no',
        ],
      });
      const url = `rediss://127.0.0.1:${port}`;
      expect(kinds(await runDoctor({ redis: { url } }))).toEqual(['store_tls']);
      expect(kinds(await runDoctor({ redis: { url, caFile: 'redis-ca.pem' } }))).toEqual([]);
    });

    test('the commands that the Redis user may not run', async () => {
      await aCluster();
      await redis?.stop();
      redis = await startRedisServer({
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
      await redis?.stop();
      redis = await startRedisServer({ config: ['maxmemory-policy allkeys-lru'] });
      const { code, found } = await runDoctor();
      expect(code).toBe(1);
      expect(found).toMatchObject([{ kind: 'store_evicts', what: expect.stringContaining('allkeys-lru') }]);
    });

    test('an unreachable entry point beside reachable ones', async () => {
      await aCluster();
      await fake.setNodeDown('pve1', true);
      const { found } = await runDoctor();
      expect(found).toMatchObject([
        { kind: 'proxmox_unreachable', where: expect.stringContaining(new URL(fake.url('pve1')).host) },
      ]);
    });

    test('a CA that did not issue the certificate of Proxmox', async () => {
      await aCluster();
      await writeFile(join(folder, 'ca.pem'), createCertificateAuthority().caPem);
      const result = await runDoctor();
      expect(new Set(kinds(result))).toEqual(new Set(['proxmox_certificate']));
      expect(result.text).toContain('pve-root-ca.pem');
    });

    test('a name that the certificate of Proxmox does not contain, with those that it contains', async () => {
      await aCluster();
      // The loopback address as IPv6 writes it.
      const urls = [fake.url('pve1').replace('127.0.0.2', '[::ffff:127.0.0.2]')];
      const result = await runDoctor({ clusters: [clusterOf({ urls })] });
      expect(result.found).toMatchObject([{ kind: 'certificate_name' }]);
      const [{ what } = { what: '' }] = result.found;
      expect(what).toMatch(/^Its certificate is not for ::ffff:7f00:2, but for: .*127\.0\.0\.2.*pve1/);
      expect(result.text).not.toContain('pve-root-ca.pem');
    });

    test('a fingerprint of another certificate', async () => {
      await aCluster();
      const tls = { fingerprints: Array.from({ length: 32 }, () => 'AB').join(':') };
      const { found } = await runDoctor({ clusters: [clusterOf({ tls })] });
      expect(found[0]).toMatchObject({
        kind: 'certificate_fingerprint',
        what: expect.stringContaining('not pinned'),
      });
    });

    test('certificates that are not verified', async () => {
      await aCluster();
      const result = await runDoctor({ clusters: [clusterOf({ tls: { insecureSkipVerify: true } })] });
      expect([result.code, ...kinds(result)]).toEqual([0, 'proxmox_insecure']);
    });

    test('a wrong token secret', async () => {
      await aCluster();
      const credential = { token: brokerToken.tokenid, secret: 'aaaaaaaa-0000-4000-8000-000000000000' };
      const { code, text, found } = await runDoctor({ clusters: [clusterOf({ credential })] });
      expect(code).toBe(1);
      expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(['proxmox_credential']));
      expect(text).not.toContain(credential.secret);
    });

    test('a token with privilege separation and without permissions', async () => {
      await aCluster({ tokens: [{ ...brokerToken }] });
      const result = await runDoctor();
      expect(kinds(result)).toEqual(['proxmox_no_rights']);
      expect(result.text).toContain('--tokens');
    });

    test.each<[string, FindingKind, object]>([
      ['VM.Console', 'proxmox_no_console', {}],
      ['VM.Audit', 'proxmox_no_audit', {}],
      ['VM.PowerMgmt', 'proxmox_no_power', {}],
      ['Sys.Audit', 'proxmox_no_nodes', {}],
      ['Sys.Console', 'proxmox_no_shell', { nodeShells: true }],
    ])('a credential without %s', async (privilege, kind, different) => {
      await aCluster();
      fake.setAcl('porthole@pve', { '/': everything.filter((one) => one !== privilege) });
      const result = await runDoctor({ clusters: [clusterOf(different)] });
      expect(kinds(result)).toEqual([kind]);
      expect(result.text).toContain(privilege);
    });

    test('permissions on a pool without machines', async () => {
      await aCluster();
      fake.setAcl('porthole@pve', { '/pool/empty': everything, '/': ['Sys.Audit'] });
      expect(kinds(await runDoctor())).toEqual(['proxmox_no_machines']);
    });

    test('the credential that lacks a permission, if there are two', async () => {
      await aCluster({
        users: [
          { userid: 'porthole@pve', password: 'x', acl: { '/': ['VM.Audit', 'VM.PowerMgmt'] } },
          { userid: 'relay@pve', password: 'pw of relay', acl: { '/': ['VM.Audit', 'Sys.Audit'] } },
        ],
      });
      const relayCredential = { username: 'relay@pve', password: 'pw of relay' };
      const { found } = await runDoctor({ clusters: [clusterOf({ relayCredential })] });
      expect(found).toMatchObject([
        { kind: 'proxmox_no_console', what: expect.stringContaining('relay@pve') },
      ]);
    });

    test('a missing permission for power that a rules file gives', async () => {
      const acl = { '/': everything.filter((privilege) => privilege !== 'VM.PowerMgmt') };
      await aCluster({ users: [{ userid: 'porthole@pve', password: 'unused', acl }] });
      const rule = { who: { everyone: true }, which: { all: true }, allow: ['power'] };
      await writeFile(join(folder, 'access.yaml'), JSON.stringify({ access: [rule] }));
      const result = await runDoctor({ access: undefined, accessFile: 'access.yaml' });
      expect([result.code, ...kinds(result)]).toEqual([0, 'proxmox_no_power']);
    });

    test('a clock that differs', async () => {
      await aCluster({ clock: createFakeClock(Date.now() - 5 * 60_000) });
      const result = await runDoctor();
      expect(new Set(kinds(result))).toEqual(new Set(['proxmox_clock']));
      expect(result.found[0]?.what).toMatch(/-(299|300|301) s/);
    });

    test('a node that relays cannot reach', async () => {
      await aCluster();
      const nodes = { pve1: fake.url('pve1'), pve2: 'https://127.0.0.1:1' };
      const { found } = await runDoctor({ clusters: [clusterOf({ nodes })] });
      expect(found).toMatchObject([{ kind: 'node_unreachable', where: 'cluster lab, node pve2' }]);
    });

    test('an unreachable issuer', async () => {
      await aCluster();
      const oidc = [{ name: 'school', issuer: 'http://127.0.0.1:1', clientId: 'porthole' }];
      const { found } = await runDoctor({ signIn: { oidc } });
      expect(found).toMatchObject([{ kind: 'issuer_unreachable', where: 'issuer school' }]);
    });

    describe('asked about a relay', () => {
      let relay: ServiceProcess | undefined;
      afterEach(() => {
        relay?.signal('SIGKILL');
        relay = undefined;
      });
      /** Starts a relay with the checked configuration and other environment variables. */
      const aRelay = async (different: Record<string, string> = {}) => {
        await aCluster();
        await runDoctor();
        const port = await freePort();
        relay = startProcess('services/relay/src/main.ts', [], {
          PORTHOLE_CONFIG: join(folder, 'porthole.yaml'),
          PORTHOLE_LISTEN: `127.0.0.1:${port}`,
          PORTHOLE_OPERATIONS_LISTEN: `127.0.0.1:${await freePort()}`,
          ...different,
        });
        await relay.printed('"ready"');
        return `http://127.0.0.1:${port}`;
      };

      test('no problem if a console would open', async () => {
        const { code, text } = await runDoctor({}, ['--relay', await aRelay()]);
        expect([code, text]).toEqual([0, 'No problems found.\n']);
      });

      test('a relay with other grant keys', async () => {
        const url = await aRelay({ PORTHOLE_GRANT_KEYS: 'o'.repeat(40) });
        const { found } = await runDoctor({}, ['--relay', url]);
        expect(found).toMatchObject([{ kind: 'relay_refused', where: `relay ${new URL(url).host}` }]);
        expect(found[0]?.what).toContain('4401 (grant)');
      });

      test('an unreachable relay', async () => {
        await aCluster();
        const { code, found } = await runDoctor({}, ['--relay', 'wss://127.0.0.1:1']);
        expect([code, found.map(({ kind }) => kind)]).toEqual([1, ['relay_unreachable']]);
      });
    });
  });
});
