import { parseArgs } from 'node:util';
import { deleteRecordingObjects } from '../../recordings/legal-hold.ts';
import { auditFields } from '../../recordings/recording-request.ts';
import { CommandError, type Command } from '../command.ts';
import { idIn, requireStored, withRecordings } from './with-recordings.ts';

const usage = `ID [--unfinished]

Deletes a recording. Refuses one that is on legal hold, and without --unfinished one that has no end, because its console can
still be open.
`;

export const recordingsDelete: Command = {
  summary: 'delete a recording',
  usage,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { unfinished: { type: 'boolean' } },
    });
    const id = idIn(positionals);
    await withRecordings(io, async (context) => {
      const recording = await requireStored(context, id);
      if (!recording.ended && !values.unfinished)
        throw new CommandError('The recording has no end: its console can still be open. Use --unfinished.');
      if (!(await deleteRecordingObjects(context, id)))
        throw new CommandError('The recording is on legal hold.');
      context.audit({ event: 'recording_deleted', by: context.operator, ...auditFields(recording) });
      io.stdout.write(`Deleted ${id}.\n`);
    });
  },
};
