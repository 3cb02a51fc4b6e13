import { resourcesAnswer } from '@porthole/shared/proxmox/answers';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import { machinesIn, type Machine } from './machine.ts';

/**
 * One call answers for the whole cluster, from what its nodes tell each other, so it also works while some of
 * them are away. Lists what the credential may audit.
 */
export async function listMachines(
  client: Pick<ProxmoxClient, 'get'>,
  cluster: string,
): Promise<readonly Machine[]> {
  return machinesIn(
    cluster,
    await client.get({ path: '/cluster/resources?type=vm', schema: resourcesAnswer }),
  );
}
