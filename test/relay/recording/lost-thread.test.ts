import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Worker } from 'node:worker_threads';
import { createRecordingThread } from '@porthole/relay/recording/recording-thread';
import { recordings } from '@porthole/shared/config/recordings-schema';
import { eventually } from '../../eventually.ts';
import { createFakeClock } from '../../fakes/clock.ts';
import { contentOf, facts, problemsOf, recordsOf } from '../../shared/recording/sample-recording.ts';
import { recordedLog } from '../../shared/store/store-harness.ts';
import { closeOf } from '../close-codes/expect-close.ts';
import { useRelayRigs } from '../rig.ts';
import { openWithToken } from '../session/resume-rig.ts';
import { createRecordingFolder, recorded, type RecordingFolder } from './recorded-rig.ts';

const start = useRelayRigs();
const workers: Worker[] = [];
const onWorker = (message: unknown) => void workers.push((message as { worker: Worker }).worker);
let folder: RecordingFolder;
beforeEach(async () => {
  workers.length = 0;
  subscribe('worker_threads', onWorker);
  folder = await createRecordingFolder();
});
afterEach(async () => {
  unsubscribe('worker_threads', onWorker);
  await folder.remove();
});

const openedOf = ({ messages }: { readonly messages: readonly { readonly type: string }[] }) =>
  messages.find(({ type }) => type === 'opened');

test('consoles go on when the recording thread dies: theirs open again with a gap in the recording, others do not notice', async () => {
  const rig = await start({ recordings: folder.config });
  const other = await rig.open({ user: { id: 'other', name: 'Other', groups: [] } });
  const otherRfb = await other.rfb();
  const first = await openWithToken(rig, recorded());
  const inJournal = await folder.journalBytes();
  first.rfb.type('a');
  const keysIn = async () => {
    const [id] = await folder.recordings();
    return id === undefined
      ? []
      : recordsOf(await folder.read(id)).filter(({ record }) => record.type === 'key');
  };
  // The next thread stores what this one leaves.
  await eventually('the key is in the journal', async () => (await folder.journalBytes()) > inJournal);
  await workers[0]?.terminate();
  expect(await first.client.closed).toEqual(closeOf('recording_interrupted'));

  const second = await openWithToken(rig, {}, first.token);
  expect(openedOf(second.client)).toMatchObject({ recorded: true });
  second.rfb.type('b');
  otherRfb.requestUpdate(false);
  await otherRfb.nextUpdate();
  for (const client of [second.client, other]) client.close();
  await eventually('the keys of both are stored', async () => (await keysIn()).length === 2);

  const [id = ''] = await folder.recordings();
  await eventually('the recording has an end', async () =>
    (await folder.read(id)).some((item) => item.kind === 'part' && item.index?.summary.end),
  );
  const items = await folder.read(id);
  expect(problemsOf(items)).toEqual([]);
  const parts = items.flatMap((item) => (item.kind === 'part' ? [item.part.slice(0, 4)] : []));
  expect(parts).toEqual(['0001', '0002']);
  const later = items.filter((item) => item.kind === 'chunk' && item.part.startsWith('0002'));
  expect(contentOf(later)[0]).toEqual({ type: 'mark', name: 'gap', text: '' });
  const metrics = await rig.metrics();
  expect(metrics).toContain('porthole_relay_recording_threads_lost_total 1');
  expect(metrics).toContain('porthole_relay_recording_pieces_lost_total 1');
  expect(rig.logged.some((line) => line.includes('recording thread lost'))).toBe(true);
});

test('if the recording thread dies again and again, consoles do as their rules say, and the next recording tries again', async () => {
  const clock = createFakeClock();
  const thread = createRecordingThread(recordings.parse({ ...folder.config, spool: { flushSeconds: 1 } }), {
    clock,
    monotonicMs: () => clock.now(),
    log: recordedLog().log,
    onPiecesLost() {},
    onThreadLost() {},
    onWaited() {},
  });
  await thread.start?.();
  const told: string[] = [];
  const record = () =>
    thread.record({
      ordinal: 1,
      facts,
      onFull: () => void told.push('full'),
      onLost: () => void told.push('lost'),
    });
  for (let losses = 1; losses <= 3; losses++) {
    await record();
    await workers.at(-1)?.terminate();
    await eventually('the part is told', () => told.length === losses);
  }
  expect(told).toEqual(['lost', 'lost', 'full']);
  clock.advance(10 * 60_000);
  await record();
  await workers.at(-1)?.terminate();
  await eventually('the part is told', () => told.length === 4);
  expect(told.at(-1)).toBe('lost');
  await thread.stop?.();
  expect(clock.pending()).toBe(0);
});
