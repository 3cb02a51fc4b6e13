import { parseArgs } from 'node:util';
import type { SessionRecord } from '@porthole/shared/session/records';
import { leaseNames } from '@porthole/shared/store/keys';
import type { Command } from './command.ts';
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
        values.json ? `${JSON.stringify(found.map(toJson), undefined, 2)}\n` : formatTable(found),
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

function formatTable(found: readonly SessionRecord[]): string {
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
  const all = [columns, ...rows];
  const widths = columns.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${withoutControlCharacters(line).trimEnd()}\n`)
    .join('');
}

/** Users choose names, so no control character of a name may reach the terminal. */
function withoutControlCharacters(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}
