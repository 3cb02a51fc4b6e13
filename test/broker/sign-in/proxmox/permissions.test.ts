import * as fc from 'fast-check';
import { factorsOfChallenge } from '@porthole/broker/sign-in/proxmox/tfa-challenge';
import { inheritsFromVms, parsePermissions } from '@porthole/broker/sign-in/proxmox/permissions';
import { createPermissions, type Acl } from '../../../fakes/proxmox/acl.ts';

const vmids = [100, 101, 102, 103];
const paths = ['/', '/vms', ...vmids.map((vmid) => `/vms/${vmid}`), '/pool/p'];
const privileges = fc.subarray(['VM.Console', 'VM.Audit', 'VM.PowerMgmt', 'Sys.Audit']);
const acl: fc.Arbitrary<Acl> = fc.dictionary(fc.constantFrom(...paths), privileges, { maxKeys: 7 });

test('rights never exceed those of Proxmox, and include all machines that Proxmox lists', () => {
  fc.assert(
    fc.property(acl, acl, fc.subarray(vmids), (own, of, pooled) => {
      const permissions = createPermissions({
        users: [
          { userid: 'me@pve', password: '', acl: own },
          { userid: 'other@pve', password: '', acl: of },
        ],
        tokens: [],
        poolOf: (vmid) => (pooled.includes(vmid) ? 'p' : undefined),
        pooled: () => pooled,
      });
      const at = (path: string) => [...permissions.at('me@pve', path)];
      const answer = Object.fromEntries(
        permissions
          .paths()
          .filter((path) => at(path).length > 0)
          .map((path) => [
            path,
            Object.fromEntries(
              at(path).map((name) => [name, permissions.propagates('me@pve', path, name) ? 1 : 0]),
            ),
          ]),
      );
      const listed = new Set(vmids.filter((vmid) => at(`/vms/${vmid}`).includes('VM.Audit')));
      const reach = parsePermissions(answer, inheritsFromVms(answer) ? listed : new Set());
      for (const vmid of vmids) {
        const may = at(`/vms/${vmid}`).includes('VM.Console');
        if (reach(vmid).has('control')) expect(may).toBe(true);
        if (may && listed.has(vmid)) expect(reach(vmid).has('control')).toBe(true);
        if (reach(vmid).has('power')) expect(at(`/vms/${vmid}`)).toContain('VM.PowerMgmt');
      }
    }),
  );
});

test('unknown privileges give no rights', () => {
  const reach = parsePermissions({ '/vms/100': { constructor: 1, toString: 1 } }, new Set());
  expect([...reach(100)]).toEqual([]);
});

test.each([
  [{ totp: true, recovery: [0, 3] }, ['totp', 'recovery']],
  [{ recovery: [] }, []],
  [{ webauthn: { publicKey: {} } }, []],
  [{ yubico: true, totp: false }, ['yubico']],
])('a challenge with %j offers %j', (kinds, expected) => {
  expect(factorsOfChallenge(`PVE:!tfa!${encodeURIComponent(JSON.stringify(kinds))}:0A0B0C0D::c2ln`)).toEqual(
    expected,
  );
});

test('a malformed challenge offers no second factor', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(factorsOfChallenge(text)).toEqual([]);
      expect(Array.isArray(factorsOfChallenge(`PVE:!tfa!${text}:0A0B0C0D::c2ln`))).toBe(true);
    }),
  );
  for (const bad of ['PVE:!tfa!%:0::x', 'PVE:!tfa!null:0::x', 'PVE:!tfa!%5B%5D:0::x', 'PVE:!tfa!1:0::x'])
    expect(factorsOfChallenge(bad)).toEqual([]);
});
