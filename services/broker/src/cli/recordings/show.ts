import { parseArgs } from 'node:util';
import { readCompleteIndexes } from '../../recordings/complete-index.ts';
import { describeRecording } from '../../recordings/describe-recording.ts';
import { formatTable } from '../format-table.ts';
import type { Command } from '../command.ts';
import { idIn, noneIsLive, requireStored, withRecordings } from './with-recordings.ts';

const usage = `ID [--json]

Shows a recording: whose console it is, its parts, and what is missing as far as its index says. To check all data, run
porthole recordings verify.
`;

export const recordingsShow: Command = {
  summary: 'show a recording',
  usage,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' } },
    });
    const id = idIn(positionals);
    await withRecordings(io, async (context) => {
      const stored = await requireStored(context, id);
      const { recording, indexes } = await readCompleteIndexes(context, stored);
      const described = describeRecording(recording, noneIsLive);
      const parts = recording.parts.map(({ part, chunks, bytes, ...stored }, at) => {
        const index = indexes[at]?.value;
        const summary = index?.summary ?? stored.summary;
        return {
          part,
          chunks: chunks.length,
          bytes,
          ...(summary
            ? {
                relay: summary.facts.relay,
                startedAt: new Date(summary.startedAt).toISOString(),
                durationMs: summary.durationMs,
                end: summary.end?.reason,
              }
            : {}),
          observers: index?.details.observers ?? [],
          marks: index?.details.marks ?? [],
        };
      });
      const shown = { ...described, parts, problems: recording.problems };
      if (values.json) return void io.stdout.write(`${JSON.stringify(shown, undefined, 2)}\n`);
      const { problems: _problems, parts: _parts, ...facts } = shown;
      for (const [name, value] of Object.entries(facts))
        io.stdout.write(
          `${`${name}:`.padEnd(17)}${typeof value === 'object' ? JSON.stringify(value) : value}\n`,
        );
      const rows = parts.map((part) => [
        part.part,
        part.relay ?? '?',
        part.startedAt ?? '?',
        String(Math.round((part.durationMs ?? 0) / 1000)),
        String(part.chunks),
        part.end ?? 'none',
      ]);
      io.stdout.write(formatTable(['PART', 'RELAY', 'START', 'SECONDS', 'CHUNKS', 'END'], rows));
      for (const { kind, part, chunk } of recording.problems)
        io.stdout.write(`${[kind, part, chunk].filter((one) => one !== undefined).join(' ')}\n`);
    });
  },
};
