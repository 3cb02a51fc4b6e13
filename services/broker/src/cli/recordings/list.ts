import { parseArgs } from 'node:util';
import { describeRecording } from '../../recordings/describe-recording.ts';
import { findRecordings } from '../../recordings/find-recordings.ts';
import { matchesFilter } from '../../recordings/match-recording.ts';
import type { StoredRecording } from '../../recordings/stored-recording.ts';
import { UsageError, type Command } from '../command.ts';
import { formatTable } from '../format-table.ts';
import { noneIsLive, withRecordings } from './with-recordings.ts';

const usage = `[--user TEXT] [--machine TEXT] [--class NAME] [--since DATE] [--until DATE] [--json]

Lists recordings, newest first. TEXT is a part of the name; a machine can also be CLUSTER/NUMBER. DATE is a day or a time,
such as 2026-01-31 or 2026-01-31T08:30:00Z. A console that is open counts as unfinished.
`;

const pageSize = 100;

export const recordingsList: Command = {
  summary: 'list recordings',
  usage,
  async run(args, io) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        user: { type: 'string' },
        machine: { type: 'string' },
        class: { type: 'string' },
        since: { type: 'string' },
        until: { type: 'string' },
        json: { type: 'boolean' },
      },
    });
    const { since, until, json, ...filter } = values;
    const from = parseDate(since) ?? 0;
    const to = endOf(until) ?? Date.now() + 24 * 3_600_000;
    await withRecordings(io, async (context) => {
      const found: StoredRecording[] = [];
      let before: string | undefined;
      do {
        const page = await findRecordings(context, {
          from,
          to,
          count: pageSize,
          ...(before === undefined ? {} : { before }),
          accepts: ({ facts }) => matchesFilter(facts, filter),
        });
        found.push(...page.recordings);
        before = page.next;
      } while (before !== undefined);
      const described = found.map((recording) => describeRecording(recording, noneIsLive));
      io.stdout.write(json ? `${JSON.stringify(described, undefined, 2)}\n` : formatRecordings(described));
    });
  },
};

function parseDate(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new UsageError(`${text} is not a date.`);
  return ms;
}

/** A day includes all of it. */
function endOf(text: string | undefined): number | undefined {
  const ms = parseDate(text);
  return ms !== undefined && text?.length === 10 ? ms + 24 * 3_600_000 - 1 : ms;
}

const columns = ['RECORDING', 'USER', 'MACHINE', 'CLASS', 'START (UTC)', 'SECONDS', 'BYTES', 'STATE'];

function formatRecordings(found: readonly ReturnType<typeof describeRecording>[]): string {
  if (found.length === 0) return 'There are no such recordings.\n';
  const rows = found.map((recording) => {
    const { id, user, machine, class: className, startedAt, durationSeconds, bytes, state, held } = recording;
    return [
      id,
      user?.id ?? '?',
      machine ? `${machine.cluster}/${machine.vmid ?? machine.node}` : '?',
      className ?? '',
      startedAt.slice(0, 19).replace('T', ' '),
      String(durationSeconds),
      String(bytes),
      held ? `${state}, held` : state,
    ];
  });
  return formatTable(columns, rows);
}
