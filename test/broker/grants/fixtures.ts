import type { AccessRule } from '@porthole/shared/config/access-schema';
import { grantKeysOf } from '@porthole/shared/config/read';
import { constantSecret } from '@porthole/shared/config/secret';
import type { Clock } from '@porthole/shared/time/clock';
import type { FakeProxmox } from '../../fakes/proxmox/fake-proxmox.ts';
import { aCluster, grantKey, startBroker, type Rig, type RigOptions } from '../rig.ts';

export const access: AccessRule[] = [
  { who: { users: ['anna'] }, which: { names: ['lab-*'] }, allow: ['control'] },
  { who: { users: ['anna'] }, which: { names: ['teacher'] }, allow: ['view'] },
];

export async function aSchool(options: RigOptions = {}): Promise<{ rig: Rig; fake: FakeProxmox }> {
  const fake = await aCluster();
  const rig = await startBroker({
    ...options,
    proxmox: [{ name: 'school', fake }],
    config: { access, ...options.config },
  });
  return { rig, fake };
}

export const path = (vmid: number | string, cluster = 'school') =>
  `/api/v1/consoles/${cluster}/${vmid}/grants`;
export const control = { mode: 'control', kind: 'screen' };

export const taking = (rig: Rig, clock: Clock) => ({
  records: rig.store.records,
  keys: grantKeysOf(constantSecret(grantKey)),
  clock,
});
