import { rename } from 'node:fs/promises';
import type { RecordingRecord } from '@porthole/shared/recording/record/record';
import { eventually } from '../../eventually.ts';
import { contentOf, problemsOf, recordsOf } from '../../shared/recording/sample-recording.ts';
import { useRelayRigs, type RelayRig } from '../rig.ts';
import { openWithToken } from '../session/resume-rig.ts';
import { createRecordingFolder, recorded, type RecordingFolder } from './recorded-rig.ts';

const start = useRelayRigs();
let folder: RecordingFolder;
beforeEach(async () => {
  folder = await createRecordingFolder();
});
afterEach(() => folder.remove());

const startRecording = () => start({ recordings: folder.config });

/** The only recording, once its last part has ended. */
async function theRecording(parts = 1) {
  await eventually('the recording has ended', async () => {
    const [only] = await folder.recordings();
    if (only === undefined) return false;
    const items = await folder.read(only);
    const ended = items.filter((item) => item.kind === 'part' && item.index?.summary.end !== undefined);
    return ended.length === parts;
  });
  const [id = ''] = await folder.recordings();
  return { id, items: await folder.read(id) };
}

const opened = (client: { readonly messages: readonly { readonly type: string }[] }) =>
  client.messages.find(({ type }) => type === 'opened');
const typesOf = (records: readonly RecordingRecord[]) => records.map(({ type }) => type);

async function metric(rig: RelayRig, line: string): Promise<boolean> {
  return (await rig.metrics()).split('\n').includes(line);
}

describe('a console whose grant says to record', () => {
  test('is recorded byte for byte from ServerInit on, and the page is told before the first picture', async () => {
    const rig = await startRecording();
    const client = await rig.open(recorded());
    const rfb = await client.rfb();
    expect(opened(client)).toMatchObject({ recorded: true });
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
    client.close();
    const { items } = await theRecording();
    expect(problemsOf(items)).toEqual([]);
    const content = contentOf(items);
    expect(typesOf(content).slice(0, 2)).toEqual(['init', 'resize']);
    const stream = Buffer.concat(
      content.flatMap((one) => (one.type === 'init' || one.type === 'screen' ? [one.bytes] : [])),
    );
    expect(stream.length).toBeGreaterThan(1000);
    expect(client.received().includes(stream.subarray(0, 24))).toBe(true);
    const binary = client.received();
    // The handshake of the relay comes before it, and control messages between its frames.
    const picture = content.find((one) => one.type === 'screen');
    expect(picture && 'bytes' in picture && binary.includes(Buffer.from(picture.bytes))).toBe(true);
    expect(items[0]).toMatchObject({
      kind: 'part',
      index: { summary: { facts: { rule: 'exam', kind: 'screen', mode: 'control' }, end: {} } },
    });
    expect(rig.audited).toContainEqual(
      expect.objectContaining({ event: 'console_opened', recording: expect.any(String) as string }),
    );
  });

  test('has the times of keys and not which they were, unless the rule says so', async () => {
    const rig = await startRecording();
    const typed = 'geheim';
    for (const keys of [false, true]) {
      const client = await rig.open(recorded({ keys }));
      const rfb = await client.rfb();
      rfb.type(typed);
      rfb.pointer(1, 1, 1);
      rfb.requestUpdate(false);
      await rfb.nextUpdate();
      client.close();
    }
    await eventually('both recordings have ended', async () => {
      const ids = await folder.recordings();
      const all = await Promise.all(ids.map((id) => folder.read(id)));
      return (
        all.filter((items) => items.some((item) => item.kind === 'part' && item.index?.summary.end))
          .length === 2
      );
    });
    const records = await Promise.all(
      (await folder.recordings()).map(async (id) =>
        recordsOf(await folder.read(id)).map(({ record }) => record),
      ),
    );
    const values = records
      .map((each) => each.filter(({ type }) => type === 'keyValue').length)
      .sort((a, b) => a - b);
    expect(values).toEqual([0, 2 * typed.length]);
    for (const each of records) {
      expect(each.filter(({ type }) => type === 'key')).toHaveLength(typed.length);
      expect(each.filter(({ type }) => type === 'pointer').length).toBeGreaterThan(0);
    }
  });

  test('is never parked', async () => {
    const rig = await startRecording();
    const limits = { sessionSeconds: 100, idleSeconds: 100, parkSeconds: 1, perUser: 9, perMachine: 9 };
    const client = await rig.open({ ...recorded(), limits });
    await client.rfb();
    expect(opened(client)).not.toHaveProperty('parking');
    const other = await rig.open({ limits });
    await other.rfb();
    expect(opened(other)).toHaveProperty('parking', true);
    expect(opened(other)).not.toHaveProperty('recorded');
    for (const one of [client, other]) one.close();
  });

  test('goes on in a second part of the same recording when it resumes on another relay', async () => {
    const one = await startRecording();
    const other = await start({ recordings: folder.config, sharedWith: one });
    const first = await openWithToken(one, recorded());
    first.client.socket.terminate();
    const second = await openWithToken(other, {}, first.token);
    expect(opened(second.client)).toMatchObject({ recorded: true });
    second.client.close();
    const { id, items } = await theRecording(2);
    expect(problemsOf(items)).toEqual([]);
    expect((await folder.parts(id)).map(({ part }) => part.slice(0, 4))).toEqual(['0001', '0002']);
  });
});

describe('a console that cannot be recorded', () => {
  test('is not opened at Proxmox if it must be recorded and the relay has no storage', async () => {
    const rig = await start();
    const client = await rig.open(recorded());
    expect(await client.closed).toMatchObject({ code: 4507 });
    expect(rig.audited).toContainEqual(
      expect.objectContaining({ event: 'console_open_failed', end: 'recording_unavailable' }),
    );
    expect(await metric(rig, 'porthole_relay_recording_parts_total{result="unavailable"} 1')).toBe(true);
  });

  test('ends if it must be recorded and the storage is away', async () => {
    const rig = await startRecording();
    await rename(folder.directory, `${folder.directory}-away`);
    const client = await rig.open(recorded());
    // Its handshake may end with the console.
    await client.rfb().catch(() => {});
    expect(await client.closed).toMatchObject({ code: 4507 });
    await rename(`${folder.directory}-away`, folder.directory);
  });

  test('opens without recording if the rule says `try`, tells the page, and reports it', async () => {
    const rig = await start();
    const client = await rig.open(recorded({ mode: 'try' }));
    await client.rfb();
    expect(opened(client)).toMatchObject({ recorded: false });
    expect(rig.audited).toContainEqual(
      expect.objectContaining({ event: 'console_not_recorded', reason: 'unavailable' }),
    );
    expect(rig.logged.some((line) => line.includes('open without recording'))).toBe(true);
    client.close();
  });
});
