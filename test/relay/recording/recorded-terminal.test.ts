import type { RecordingRecord } from '@porthole/shared/recording/record/record';
import { eventually } from '../../eventually.ts';
import { contentOf, problemsOf, recordsOf } from '../../shared/recording/sample-recording.ts';
import { latestResumeToken } from '../session/resume-rig.ts';
import {
  openTerminal,
  output,
  send,
  typeText,
  useTerminalRigs,
  waitForOutput,
} from '../terminal/terminal-rig.ts';
import { createRecordingFolder, recorded, type RecordingFolder } from './recorded-rig.ts';

const start = useTerminalRigs();
let folder: RecordingFolder;
beforeEach(async () => {
  folder = await createRecordingFolder();
});
afterEach(() => folder.remove());

const textOf = (records: readonly RecordingRecord[], code: string) =>
  records.flatMap((one) =>
    one.type === 'terminal' && one.code === code ? [Buffer.from(one.bytes).toString()] : [],
  );

test('a recorded terminal has all that it wrote, its sizes, and when keys were pressed, over two relays', async () => {
  const one = await start({ recordings: folder.config });
  const other = await start({ recordings: folder.config, sharedWith: one });
  const first = await openTerminal(one, { ...recorded(), sessionId: 'session-1' });
  send(first, '1:132:43:');
  typeText(first, 'echo grün\r');
  await waitForOutput(first, '\r\ngrün\r\n');
  const token = await latestResumeToken(first);
  const written = output(first);
  first.socket.terminate();
  const second = other.connect({ token });
  await waitForOutput(second, '# ');
  typeText(second, 'echo later\r');
  await waitForOutput(second, '\r\nlater\r\n');
  second.close();

  const [id = ''] = await folder.recordings();
  await eventually('both parts have an end', async () => {
    const items = await folder.read(id);
    return items.filter((item) => item.kind === 'part' && item.index?.summary.end).length === 2;
  });
  const items = await folder.read(id);
  expect(problemsOf(items)).toEqual([]);
  const part = (ordinal: string) =>
    items.filter((item) => item.kind === 'chunk' && item.part.startsWith(ordinal));
  expect(textOf(contentOf(part('0001')), 'o').join('')).toBe(written);
  expect(textOf(contentOf(part('0001')), 'r')).toEqual(['132x43']);
  const types = recordsOf(items).map(({ record }) => record.type);
  expect(types.filter((type) => type === 'key')).toHaveLength(2);
  expect(types).not.toContain('keyValue');
  expect(textOf(contentOf(part('0002')), 'o').join('')).toContain('\r\nlater\r\n');
});
