import { parseArgs } from 'node:util';
import { isRecordingId } from '@porthole/shared/recording/names';
import type { RecordingProblem } from '@porthole/shared/recording/read/problem';
import { readRecording } from '@porthole/shared/recording/read/read-recording';
import { CommandError, UsageError, type Command } from '../command.ts';
import { idIn, requireStored, withRecordings, type RecordingsContext } from './with-recordings.ts';

const usage = `ID | --all [--json]

Reads all data of a recording, or of all recordings: decrypts each chunk, compares the hashes, and names each part and chunk
that is missing, damaged, truncated or exchanged. The exit code is 1 if there is any. docs/recording-format.md#damage explains them.
`;

interface Verified {
  readonly id: string;
  readonly chunks: number;
  readonly problems: readonly RecordingProblem[];
}

export const recordingsVerify: Command = {
  summary: 'check all data of recordings',
  usage,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { all: { type: 'boolean' }, json: { type: 'boolean' } },
    });
    if (values.all && positionals.length > 0) throw new UsageError('Give an id or --all.');
    const id = values.all ? undefined : idIn(positionals);
    await withRecordings(io, async (context) => {
      const results: Verified[] = [];
      for await (const each of id === undefined ? allIds(context) : [id]) {
        const result = await verify(context, each);
        results.push(result);
        if (!values.json) io.stdout.write(format(result));
      }
      if (values.json) io.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
      const damaged = results.filter(({ problems }) => problems.length > 0).length;
      if (damaged > 0) throw new CommandError(`${damaged} of ${results.length} recordings are damaged.`);
    });
  },
};

async function* allIds({ storage }: RecordingsContext): AsyncGenerator<string> {
  for await (const id of storage.listGroups('')) if (isRecordingId(id)) yield id;
}

async function verify(context: RecordingsContext, id: string): Promise<Verified> {
  await requireStored(context, id);
  const problems: RecordingProblem[] = [];
  let chunks = 0;
  for await (const item of readRecording(context, id)) {
    if (item.kind === 'chunk') chunks++;
    else if (item.kind === 'problem') problems.push(item.problem);
  }
  return { id, chunks, problems };
}

function format({ id, chunks, problems }: Verified): string {
  const found = problems.map(
    ({ kind, part, chunk }) =>
      `  ${[kind, part, chunk === undefined ? undefined : `chunk ${chunk}`].filter((one) => one !== undefined).join(' ')}\n`,
  );
  return `${id}: ${problems.length === 0 ? 'ok' : 'damaged'}, ${chunks} chunks\n${found.join('')}`;
}
