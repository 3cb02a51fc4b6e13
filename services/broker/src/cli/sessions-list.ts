import { parseArgs } from 'node:util';
import { leaseNames } from '@porthole/shared/store/keys';
import type { SessionRecord } from '@porthole/shared/session/records';
import type { Command } from './command.ts';
import { withStore } from './with-store.ts';

const usage = `[--json]

Lists the consoles that are open now, the oldest first, from Redis: who, at which machine, by which relay, since when.
`;

export const sessionsList: Command = {
  summary: 'list the consoles that are open now',
  usage,
  async run(args, io) {
    const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean' } } });
    await withStore(io, async ({ sessions }) => {
      const found = (await sessions.list(leaseNames.allSessions)).toSorted((a, b) => a.since - b.since);
      io.stdout.write(values.json ? `${JSON.stringify(found.map(shown), undefined, 2)}\n` : inLines(found));
    });
  },
};

function shown({
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

function inLines(found: readonly SessionRecord[]): string {
  if (found.length === 0) return 'Nobody has a console open.\n';
  const rows = found
    .map(shown)
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
  const all = [['SESSION', 'USER', 'MACHINE', 'NAME', 'NODE', 'RELAY', 'SINCE (UTC)', 'AS'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  // Names are what people chose: no control character of theirs reaches the terminal.
  return all
    .map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.replaceAll(/\p{Cc}/gu, '?').trimEnd()}\n`)
    .join('');
}
