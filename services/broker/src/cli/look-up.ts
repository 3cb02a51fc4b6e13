import type { Config } from '@porthole/shared/config/schema';
import { PortholeError } from '@porthole/shared/errors';
import { createProxmoxClient } from '@porthole/shared/proxmox/client';
import { systemClock } from '@porthole/shared/time/clock';
import type { User } from '../identity/user.ts';
import { listMachines } from '../machines/list-machines.ts';
import { displayNameOf, type Machine } from '../machines/machine.ts';
import { parseUsersFile } from '../sign-in/local/users-file.ts';
import { CommandError } from './command.ts';

/** The users of the users file. Empty if there is none. */
export function usersInFile({ signIn: { local } }: Config): readonly User[] {
  return local ? [...parseUsersFile(local.usersFile()).values()].map(({ user }) => user) : [];
}

/** The given groups, `a,b`, or those of the user in the users file. */
export function findUserGroups(given: string | undefined, user: string, config: Config): readonly string[] {
  if (given !== undefined) return given.split(',').flatMap((group) => group.trim() || []);
  return usersInFile(config).find(({ name }) => name === user)?.groups ?? [];
}

/** Finds a machine by `cluster/number`, number or name in the lists of Proxmox. Throws CommandError. */
export async function lookUpMachine(config: Config, wanted: string): Promise<Machine> {
  const [clusterName, number] = wanted.includes('/') ? wanted.split('/', 2) : [undefined, wanted];
  const clusters = config.clusters.filter(({ name }) => clusterName === undefined || name === clusterName);
  if (clusters.length === 0) throw new CommandError(`There is no cluster ${clusterName}.`);
  const machines = (await Promise.all(clusters.map(machinesOf))).flat();
  const found = machines.filter(
    ({ vmid, name }) => String(vmid) === number || (clusterName === undefined && name === wanted),
  );
  const [machine, ...more] = found;
  if (!machine) throw new CommandError(`There is no machine ${wanted}.`);
  if (more.length > 0) {
    const all = found.map((one) => `${one.cluster}/${one.vmid} (${displayNameOf(one)})`).join(', ');
    throw new CommandError(`Several machines match ${wanted}: ${all}.`);
  }
  return machine;
}

async function machinesOf(cluster: Config['clusters'][number]): Promise<readonly Machine[]> {
  const credential = cluster.brokerCredential ?? cluster.credential;
  const client = createProxmoxClient({ cluster, credential, clock: systemClock });
  try {
    return await listMachines(client, cluster);
  } catch (error) {
    const reason =
      error instanceof PortholeError ? `${error.message} (${error.detail ?? error.code})` : String(error);
    throw new CommandError(`Cannot list the machines of cluster ${cluster.name}: ${reason}`);
  } finally {
    await client.close();
  }
}
