import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { readRecording } from '@porthole/shared/recording/read/read-recording';
import { toAsciicast } from '../../recordings/asciicast.ts';
import { toContainer } from '../../recordings/container.ts';
import { fileNameOf } from '../../recordings/download-recording.ts';
import { auditFields } from '../../recordings/recording-request.ts';
import { UsageError, type Command, type CommandIo } from '../command.ts';
import { idIn, requireStored, withRecordings } from './with-recordings.ts';

const usage = `ID [-o FILE]

Writes a recording into one file without encryption: asciicast v3 for a terminal, the container of docs/recording-format.md for a
screen. Default: porthole-ID.cast or porthole-ID.phrx. Does not overwrite a file. -o - writes to standard output.
`;

export const recordingsExport: Command = {
  summary: 'write a recording into one file',
  usage,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { output: { type: 'string', short: 'o' } },
    });
    const id = idIn(positionals);
    if (values.output === '-' && io.stdout.isTTY)
      throw new UsageError('Standard output is a terminal. Redirect it to a file.');
    await withRecordings(io, async (context) => {
      const recording = await requireStored(context, id);
      const isTerminal = recording.facts?.kind === 'terminal';
      const file =
        values.output === '-' ? undefined : resolve(io.cwd, values.output ?? fileNameOf(id, isTerminal));
      const items = readRecording(context, id);
      context.audit({ event: 'recording_downloaded', by: context.operator, ...auditFields(recording) });
      await pipeline(
        Readable.from(isTerminal ? toAsciicast(items) : toContainer(items), { objectMode: false }),
        file === undefined ? toStdout(io) : createWriteStream(file, { flags: 'wx', mode: 0o600 }),
      );
      if (file !== undefined) io.stdout.write(`${file}\n`);
    });
  },
};

/** For containers, whose file system is read-only. */
const toStdout = ({ stdout }: Pick<CommandIo, 'stdout'>) =>
  new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      stdout.write(chunk, done);
    },
  });
