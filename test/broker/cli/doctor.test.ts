import { readFile } from 'node:fs/promises';
import { findingKinds, type FindingKind } from '@porthole/broker/cli/doctor/findings';
import { createFakeClock } from '../../fakes/clock.ts';
import { everyPrivilege } from '../../fakes/proxmox/acl.ts';
import { createCertificateAuthority } from '../../fakes/proxmox/certificates.ts';
import { describeWith } from '../../needs.ts';
import { brokerToken } from '../rig.ts';
import { kinds, useDoctor } from './doctor-rig.ts';

const { aCluster, aRedis, clusterOf, runDoctor, writeInFolder } = useDoctor();

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
    await aRedis();
  });

  test('finds no problem in a working installation, and changes nothing', async () => {
    const fake = await aCluster();
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

    test('an unreachable entry point beside reachable ones', async () => {
      const fake = await aCluster();
      await fake.setNodeDown('pve1', true);
      const { found } = await runDoctor();
      expect(found).toMatchObject([
        { kind: 'proxmox_unreachable', where: expect.stringContaining(new URL(fake.url('pve1')).host) },
      ]);
    });

    test('a CA that did not issue the certificate of Proxmox', async () => {
      await aCluster();
      await writeInFolder('ca.pem', createCertificateAuthority().caPem);
      const result = await runDoctor();
      expect(new Set(kinds(result))).toEqual(new Set(['proxmox_certificate']));
      expect(result.text).toContain('pve-root-ca.pem');
    });

    test('a name that the certificate of Proxmox does not contain, with those that it contains', async () => {
      const fake = await aCluster();
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
      const fake = await aCluster();
      fake.setAcl('porthole@pve', { '/': everyPrivilege.filter((one) => one !== privilege) });
      const result = await runDoctor({ clusters: [clusterOf(different)] });
      expect(kinds(result)).toEqual([kind]);
      expect(result.text).toContain(privilege);
    });

    test('permissions on a pool without machines', async () => {
      const fake = await aCluster();
      fake.setAcl('porthole@pve', { '/pool/empty': everyPrivilege, '/': ['Sys.Audit'] });
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
      const acl = { '/': everyPrivilege.filter((privilege) => privilege !== 'VM.PowerMgmt') };
      await aCluster({ users: [{ userid: 'porthole@pve', password: 'unused', acl }] });
      const rule = { who: { everyone: true }, which: { all: true }, allow: ['power'] };
      await writeInFolder('access.yaml', JSON.stringify({ access: [rule] }));
      const result = await runDoctor({ access: undefined, accessFile: 'access.yaml' });
      expect([result.code, ...kinds(result)]).toEqual([0, 'proxmox_no_power']);
    });

    test('a missing permission for power that the timetable of a class needs', async () => {
      const acl = { '/': everyPrivilege.filter((privilege) => privilege !== 'VM.PowerMgmt') };
      await aCluster({ users: [{ userid: 'porthole@pve', password: 'unused', acl }] });
      const timed = {
        name: 'lab',
        members: { groups: ['lab'] },
        machines: { all: true },
        own: ['*'],
        when: { timeZone: 'UTC', hours: '08:00-09:00' },
        prepare: { startMinutes: 10 },
      };
      await writeInFolder('access.yaml', JSON.stringify({ classes: [timed] }));
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
      const fake = await aCluster();
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
  });
});
