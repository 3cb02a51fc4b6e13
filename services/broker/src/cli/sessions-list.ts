import { parseArgs } from 'node:util';
import type { SessionRecord } from '@porthole/shared/session/records';
import { leaseNames } from '@porthole/shared/store/keys';
import type { Command } from './command.ts';
import { formatTable } from './format-table.ts';
import { withStore } from './with-store.ts';

const usage = `[--json]

Lists the open consoles in Redis, oldest first: user, machine, relay and start time.
`;

export const sessionsList: Command = {
  summary: 'list the open consoles',
  usage,
  async run(args, io) {
    const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean' } } });
    await withStore(io, async ({ sessions }) => {
      const found = (await sessions.list(leaseNames.allSessions)).toSorted((a, b) => a.since - b.since);
      io.stdout.write(
        values.json ? `${JSON.stringify(found.map(toJson), undefined, 2)}\n` : formatSessions(found),
      );
    });
  },
};

function toJson({
  sessionId,
  user,
  cluster,
  vmid,
  machineName,
  node,
  relay,
  since,
  mode,
  kind,
}: SessionRecord) {
  return {
    id: sessionId,
    user,
    machine: { cluster, vmid, name: machineName, node },
    relay,
    since: new Date(since).toISOString(),
    mode,
    kind,
  };
}

const columns = ['SESSION', 'USER', 'MACHINE', 'NAME', 'NODE', 'RELAY', 'SINCE (UTC)', 'MODE'];

function formatSessions(found: readonly SessionRecord[]): string {
  if (found.length === 0) return 'No console is open.\n';
  const rows = found
    .map(toJson)
    .map(({ id, user, machine, relay, since, mode, kind }) => [
      id,
      user.id,
      `${machine.cluster}/${machine.vmid}`,
      machine.name,
      machine.node,
      relay,
      since.slice(0, 19).replace('T', ' '),
      `${mode} ${kind}`,
    ]);
  return formatTable(columns, rows);
}
