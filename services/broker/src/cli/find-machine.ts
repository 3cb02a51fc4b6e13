import { systemClock } from '@porthole/shared/time/clock';
import type { Config } from '@porthole/shared/config/schema';
import { PortholeError } from '@porthole/shared/errors';
import { createProxmoxClient } from '@porthole/shared/proxmox/client';
import { displayNameOf, type Machine } from '../machines/machine.ts';
import { listMachines } from '../machines/proxmox-list.ts';
import { parseUsersFile } from '../sign-in/local/users-file.ts';
import { Fault } from './command.ts';

/** The groups that were given, `a,b`, or those in the users file. */
export function groupsOf(given: string | undefined, user: string, config: Config): readonly string[] {
  if (given !== undefined) return given.split(',').flatMap((group) => group.trim() || []);
  const { local } = config.signIn;
  return (local && parseUsersFile(local.usersFile()).get(user)?.user.groups) ?? [];
}

/** The machine that is meant by `cluster/number`, a number, or a name; Proxmox is asked. Throws a Fault. */
export async function findMachine(config: Config, wanted: string): Promise<Machine> {
  const [cluster, number] = wanted.includes('/') ? wanted.split('/', 2) : [undefined, wanted];
  const asked = config.clusters.filter(({ name }) => cluster === undefined || name === cluster);
  if (asked.length === 0) throw new Fault(`There is no cluster ${cluster}.`);
  const lists = await Promise.all(asked.map(machinesOf));
  const found = lists
    .flat()
    .filter(
      (machine) => String(machine.vmid) === number || (cluster === undefined && machine.name === wanted),
    );
  const [machine, ...more] = found;
  if (!machine) throw new Fault(`There is no machine ${wanted}.`);
  if (more.length > 0)
    throw new Fault(
      `${wanted} is several machines: ${found.map((one) => `${one.cluster}/${one.vmid} (${displayNameOf(one)})`).join(', ')}.`,
    );
  return machine;
}

async function machinesOf(cluster: Config['clusters'][number]): Promise<readonly Machine[]> {
  const credential = cluster.brokerCredential ?? cluster.credential;
  const client = createProxmoxClient({ cluster, credential, clock: systemClock });
  try {
    return await listMachines(client, cluster);
  } catch (error) {
    const why =
      error instanceof PortholeError ? `${error.message} (${error.detail ?? error.code})` : String(error);
    throw new Fault(`Cluster ${cluster.name} does not give its list of machines: ${why}`);
  } finally {
    await client.close();
  }
}
