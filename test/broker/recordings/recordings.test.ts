import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { createRecordDecoder } from '@porthole/shared/recording/record/decode-records';
import { terminalPart, writeRecording } from '../../fakes/recordings/write-recording.ts';
import { startScreen } from '../../fakes/recordings/screen-script.ts';
import { live } from '../sessions/fixtures.ts';
import { closeBrokers, startBroker } from '../rig.ts';
import { aRecording, lessonAt, removeDirectories, startRecordings } from './fixtures.ts';

afterEach(async () => {
  await closeBrokers();
  await removeDirectories();
});

const list = '/api/v1/recordings';
const idsOf = ({ json }: { json: { recordings: { id: string }[] } }) => json.recordings.map(({ id }) => id);

test('without a storage of recordings there are no such routes and no tab', async () => {
  const rig = await startBroker();
  const anna = await rig.signedIn('anna');
  expect((await rig.ask('/api/v1/recordings/x')).status).toBe(404);
  expect((await anna.get('/api/v1/me')).json.canSeeRecordings).toBe(false);
});

describe('a list of recordings', () => {
  test('shows the newest first, with what an auditor looks for', async () => {
    const { rig, storage } = await startRecordings();
    const older = await aRecording(storage, { facts: { class: 'networks', rule: 'exams' } });
    const newer = await aRecording(storage, { startedAt: lessonAt + 3 * 24 * 3_600_000 });
    const ada = await rig.signedIn('ada');
    expect((await ada.get('/api/v1/me')).json.canSeeRecordings).toBe(true);
    const answer = await ada.get(list);
    expect(idsOf(answer)).toEqual([newer, older]);
    expect(answer.json.next).toBeUndefined();
    expect(answer.json.recordings[1]).toEqual({
      id: older,
      user: { id: 'local:anna', displayName: 'Anna Example' },
      machine: { cluster: 'school', node: 'pve1', vmid: 101, name: 'lab-anna', type: 'qemu' },
      kind: 'terminal',
      mode: 'control',
      class: 'networks',
      rule: 'exams',
      startedAt: new Date(lessonAt).toISOString(),
      durationSeconds: 3,
      bytes: expect.any(Number),
      state: 'complete',
      held: false,
    });
  });

  test('can be filtered by user, machine, class and time, and read in pages', async () => {
    const { rig, storage } = await startRecordings();
    const hour = 3_600_000;
    const ids: string[] = [];
    for (let index = 0; index < 5; index++)
      ids.push(
        await aRecording(storage, {
          startedAt: lessonAt + index * 30 * hour,
          facts: {
            user: index % 2 ? 'local:ben' : 'local:anna',
            displayName: index % 2 ? 'Ben' : 'Anna',
            machine: {
              cluster: 'school',
              node: 'pve1',
              vmid: 100 + index,
              name: `lab-${index}`,
              type: 'qemu',
            },
            ...(index === 4 ? { class: 'networks' } : {}),
          },
        }),
      );
    const ada = await rig.signedIn('ada');
    const ask = async (query: string) =>
      idsOf(await ada.get(`${list}?${query}`)).map((id) => ids.indexOf(id));
    expect(await ask('user=BEN')).toEqual([3, 1]);
    expect(await ask('machine=school/102')).toEqual([2]);
    expect(await ask('machine=103')).toEqual([3]);
    expect(await ask('machine=lab-')).toEqual([4, 3, 2, 1, 0]);
    expect(await ask('class=networks')).toEqual([4]);
    const at = (index: number) => new Date(lessonAt + index * 30 * hour).toISOString();
    expect(await ask(`from=${at(1)}&to=${at(3)}`)).toEqual([3, 2, 1]);
    const pages: number[][] = [];
    let cursor: string | undefined;
    do {
      const answer = await ada.get(`${list}?limit=2${cursor === undefined ? '' : `&cursor=${cursor}`}`);
      pages.push(idsOf(answer).map((id) => ids.indexOf(id)));
      cursor = answer.json.next;
    } while (cursor !== undefined);
    expect(pages).toEqual([[4, 3], [2, 1], [0]]);
    expect((await ada.get(`${list}?cursor=20260101-`)).status).toBe(400);
    expect((await ada.get(`${list}?from=yesterday`)).status).toBe(400);
  });

  test('says which recordings are in progress, unfinished or damaged', async () => {
    const { rig, storage, directory } = await startRecordings();
    const write = terminalPart(['one']);
    const running = await aRecording(storage, {
      startedAt: lessonAt + 4000,
      facts: { session: 'open' },
      parts: [{ write, end: null }],
    });
    const unfinished = await aRecording(storage, {
      startedAt: lessonAt + 3000,
      parts: [{ write, end: null }],
    });
    const noIndex = await aRecording(storage, { startedAt: lessonAt + 2000 });
    const [part = ''] = await readdir(join(directory, noIndex));
    await writeFile(join(directory, noIndex, part, 'index'), 'x');
    const noChunk = await aRecording(storage, { startedAt: lessonAt + 1000 });
    const [other = ''] = await readdir(join(directory, noChunk));
    await rm(join(directory, noChunk, other, '000000'));
    const noPart = await aRecording(storage, { parts: [{ write, ordinal: 2 }] });
    await live(rig.store, { sessionId: 'open' });
    const ada = await rig.signedIn('ada');
    const { json } = await ada.get(list);
    const states = json.recordings.map(({ id, state }: { id: string; state: string }) => [id, state]);
    expect(json.recordings[1]).toMatchObject({ id: unfinished, durationSeconds: 1 });
    expect(states).toEqual([
      [running, 'running'],
      [unfinished, 'unfinished'],
      [noIndex, 'damaged'],
      [noChunk, 'damaged'],
      [noPart, 'damaged'],
    ]);
    expect((await ada.delete(`${list}/${running}`)).json.code).toBe('recording_running');
    expect((await ada.get(`${list}/${noIndex}`)).json.parts).toEqual([{ part, chunkCount: 1 }]);
  });
});

describe('who sees which recordings', () => {
  test('a rule about machines, a class, or all', async () => {
    const { rig, storage } = await startRecordings();
    const machine = (vmid: number, name: string) => ({
      machine: { cluster: 'school', node: 'pve1', vmid, name, type: 'qemu' as const },
    });
    const mine = await aRecording(storage, { facts: machine(101, 'lab-anna') });
    const ofClass = await aRecording(storage, {
      startedAt: lessonAt - 1000,
      facts: { ...machine(102, 'lab-ben'), class: 'networks' },
    });
    const other = await aRecording(storage, {
      startedAt: lessonAt - 2000,
      facts: { ...machine(102, 'lab-ben'), class: 'history' },
    });
    const seen = async (name: string) => idsOf(await (await rig.signedIn(name)).get(list));
    expect(await seen('ada')).toEqual([mine, ofClass, other]);
    expect(await seen('mia')).toEqual([mine]);
    expect(await seen('ina')).toEqual([ofClass]);
    // Controls and watches all machines, and instructs a class that does not show recordings.
    for (const name of ['eve', 'anna']) {
      const browser = await rig.signedIn(name);
      expect((await browser.get(list)).status).toBe(403);
      expect((await browser.get('/api/v1/me')).json.canSeeRecordings).toBe(false);
    }
  });

  test('a machine that got the number of another one does not open the recordings of that one', async () => {
    const { rig, storage } = await startRecordings({
      config: {
        access: [{ who: { users: ['mia'] }, which: { tags: ['lab'] }, allow: ['recordings'] }],
      },
    });
    const id = await aRecording(storage, {
      facts: {
        machine: { cluster: 'school', node: 'pve1', vmid: 101, name: 'payroll', type: 'qemu' },
      },
    });
    const mia = await rig.signedIn('mia');
    expect(idsOf(await mia.get(list))).toEqual([]);
    expect((await mia.get(`${list}/${id}`)).status).toBe(404);
  });

  test('a user learns nothing of a recording that they may not see, whatever they ask', async () => {
    const { rig, storage } = await startRecordings();
    const hidden = await aRecording(storage, {
      facts: { machine: { cluster: 'school', node: 'pve2', vmid: 102, name: 'lab-ben', type: 'qemu' } },
    });
    const [part = ''] = await readdir(join(storageDirectory(rig), hidden));
    const missing = hidden.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    const browsers = { mia: await rig.signedIn('mia'), ina: await rig.signedIn('ina') };
    const paths = (id: string) =>
      [
        ['GET', id],
        ['DELETE', id],
        ['GET', `${id}/download`],
        ['PUT', `${id}/hold`],
        ['DELETE', `${id}/hold`],
        ['GET', `${id}/parts/${part}/chunks/0`],
      ] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('mia' as const, 'ina' as const),
        fc.integer({ min: 0, max: 5 }),
        async (name, index) => {
          const browser = browsers[name];
          const ask = async (id: string) => {
            const [method, path] = paths(id)[index] ?? ['GET', ''];
            const answer = await rig.ask(`${list}/${path}`, {
              method,
              headers: { cookie: browser.cookie ?? '', 'sec-fetch-site': 'same-origin' },
            });
            const { requestId: _, ...body } = answer.json;
            const headers = Object.keys(answer.headers).toSorted();
            return { status: answer.status, body, headers };
          };
          const answer = await ask(hidden);
          expect(answer.status).toBe(404);
          expect(answer).toEqual(await ask(missing));
        },
      ),
      { numRuns: 24 },
    );
    for (const query of [
      '',
      '?user=anna',
      '?machine=102',
      '?limit=1',
      `?from=${new Date(0).toISOString()}`,
    ]) {
      const { json } = await browsers.mia.get(`${list}${query}`);
      expect(json).toEqual({ recordings: [], mayManage: false });
    }
    expect(rig.audited.filter(({ event }) => event.startsWith('recording_'))).toEqual([]);
  });
});

const storageDirectory = ({ config }: { config: { recordings?: unknown } }) =>
  (config.recordings as { storage: { directory: string } }).storage.directory;

describe('a recording', () => {
  test('is shown with its parts, and watching is audited once an hour', async () => {
    const { rig, storage } = await startRecordings();
    const id = await aRecording(storage, {
      parts: [
        {
          write(writer, at) {
            terminalPart(['one'])(writer, at);
            writer.record({ type: 'observer', joined: true, user: 'Ina' });
          },
          end: 'moved',
        },
        { write: terminalPart(['two', 'three']), startsAfterMs: 20_000 },
      ],
    });
    const mia = await rig.signedIn('mia');
    const { json } = await mia.get(`${list}/${id}`);
    expect(json).toMatchObject({ id, state: 'complete', durationSeconds: 3, problems: [], mayManage: false });
    expect(json.parts).toMatchObject([
      {
        chunkCount: 1,
        index: {
          durationMs: 1000,
          endReason: 'moved',
          activity: { bucketSeconds: 1, keys: [0, 1] },
          resizes: [[0, 80, 24]],
          observers: [[1000, true, 'Ina']],
        },
      },
      { index: { startedAt: new Date(lessonAt + 20_000).toISOString(), durationMs: 2000 } },
    ]);
    const chunk = await mia.get(`${list}/${id}/parts/${json.parts[1].part}/chunks/0`);
    expect(chunk.headers['cache-control']).toBe('no-store');
    expect(chunk.headers['x-recording-problem']).toBeUndefined();
    const texts = recordsIn(chunk.bytes).flatMap(({ record }) =>
      record.type === 'terminal' && record.code === 'o' ? [Buffer.from(record.bytes).toString()] : [],
    );
    expect(texts).toEqual(['two\r\n', 'three\r\n']);
    expect((await mia.get(`${list}/${id}/parts/${json.parts[1].part}/chunks/1`)).status).toBe(404);
    expect((await mia.get(`${list}/${id}/parts/..%2F..%2Fx/chunks/0`)).status).toBe(404);
    expect(rig.audited.filter(({ event }) => event === 'recording_watched')).toMatchObject([
      { by: { id: 'local:mia' }, recording: id, user: 'local:anna', machine: { vmid: 101 } },
    ]);
  });

  test('of a relay that was killed has the time, the activity and the events of its last chunk', async () => {
    const { rig, storage } = await startRecordings();
    const lines = Array.from({ length: 90 }, (_, line) => `line ${line}`);
    const id = await aRecording(storage, {
      parts: [
        {
          write(writer, at) {
            terminalPart(lines)(writer, at);
            writer.record({ type: 'observer', joined: true, user: 'Ina' });
            writer.record({ type: 'mark', name: 'note', text: 'late' });
          },
          end: null,
        },
        { write: terminalPart(['two']), startsAfterMs: 100_000 },
      ],
    });
    const ada = await rig.signedIn('ada');
    const { json } = await ada.get(`${list}/${id}`);
    expect(json).toMatchObject({ durationSeconds: 91, state: 'complete', problems: [] });
    const [killed] = json.parts;
    expect(killed).toMatchObject({
      chunkCount: 2,
      index: {
        durationMs: 90_000,
        resizes: [[0, 80, 24]],
        observers: [[90_000, true, 'Ina']],
        marks: [[90_000, 'note', 'late']],
      },
    });
    expect(killed.index.activity.keys).toEqual([0, ...lines.map(() => 1)]);
    expect(killed.index.activity.bytes).toEqual([0, ...lines.map(({ length }) => length + 2)]);
    expect((await ada.get(list)).json.recordings[0].durationSeconds).toBe(91);
  });

  test('a chunk with an altered byte is answered without what is damaged, and says so', async () => {
    const { rig, storage } = await startRecordings();
    const id = await aRecording(storage);
    const ada = await rig.signedIn('ada');
    const { part } = (await ada.get(`${list}/${id}`)).json.parts[0];
    const name = `${id}/${part}/000000`;
    const bytes = await storage.get(name);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await storage.put(name, bytes);
    const chunk = await ada.get(`${list}/${id}/parts/${part}/chunks/0`);
    expect([chunk.status, chunk.headers['x-recording-problem'], chunk.bytes.length]).toEqual([
      200,
      'damaged',
      0,
    ]);
  });

  test('of a terminal downloads as asciicast', async () => {
    const { rig, storage } = await startRecordings();
    const euro = Buffer.from('€');
    const id = await aRecording(storage, {
      parts: [
        {
          write(writer, at) {
            terminalPart(['one'])(writer, at);
            at(1500);
            writer.terminalOutput(euro.subarray(0, 1));
            at(2000);
            writer.terminalOutput(euro.subarray(1));
          },
        },
        { write: terminalPart(['two']), startsAfterMs: 10_000 },
      ],
    });
    const mia = await rig.signedIn('mia');
    const answer = await mia.get(`${list}/${id}/download`);
    expect(answer.headers['content-disposition']).toBe(`attachment; filename="porthole-${id}.cast"`);
    const lines = answer.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      { version: 3, term: { cols: 80, rows: 24 }, timestamp: lessonAt / 1000 },
      [0, 'r', '80x24'],
      [1, 'o', 'one\r\n'],
      [1, 'o', '€'],
      [8, 'm', 'The console continues on another relay'],
      [0, 'r', '80x24'],
      [1, 'o', 'two\r\n'],
    ]);
    expect(rig.audited).toContainEqual(
      expect.objectContaining({ event: 'recording_downloaded', recording: id }),
    );
  });

  test('of a screen downloads as a container with all of its records', async () => {
    const { rig, storage } = await startRecordings();
    const [address] = await writeRecording(storage, {
      startedAt: lessonAt,
      parts: [
        {
          write(writer) {
            const screen = startScreen(writer, 64, 48);
            screen.framebuffer.fill(0, 0, 64, 48, 0xff);
            screen.update();
          },
        },
      ],
    });
    const ada = await rig.signedIn('ada');
    const { bytes, headers } = await ada.get(`${list}/${address?.recording}/download`);
    expect(headers['content-disposition']).toContain('.phrx"');
    expect(bytes.subarray(0, 6).toString('latin1')).toBe('PHRX\u0001\n');
    const types: string[] = [];
    for (let at = 6; at < bytes.length; at += 5 + bytes.readUInt32BE(at + 1))
      types.push(
        bytes.toString('latin1', at, at + 1) === 'R'
          ? `R${bytes.readUInt8(at + 6)}`
          : bytes.toString('latin1', at, at + 1),
      );
    // clock, about, init, format, screen, end.
    expect(types).toEqual(['P', 'R2', 'R1', 'R3', 'R4', 'R5', 'R15', 'E']);
  });

  test('on legal hold is not deleted until the hold is removed', async () => {
    const { rig, storage, directory } = await startRecordings();
    const id = await aRecording(storage);
    const ada = await rig.signedIn('ada');
    const mia = await rig.signedIn('mia');
    const put = (browser: typeof ada) =>
      rig.ask(`${list}/${id}/hold`, {
        method: 'PUT',
        headers: { cookie: browser.cookie ?? '', 'sec-fetch-site': 'same-origin' },
      });
    // Sees it, but a rule about single machines lets nobody hold or delete.
    expect((await put(mia)).status).toBe(403);
    expect((await mia.delete(`${list}/${id}`)).status).toBe(403);
    expect((await put(ada)).status).toBe(204);
    expect((await mia.get(list)).json.recordings[0].held).toBe(true);
    expect((await ada.delete(`${list}/${id}`)).json.code).toBe('recording_held');
    expect((await ada.get(`${list}/${id}`)).json.state).toBe('complete');
    expect((await ada.delete(`${list}/${id}/hold`)).status).toBe(204);
    expect((await ada.delete(`${list}/${id}`)).status).toBe(204);
    expect((await ada.get(`${list}/${id}`)).status).toBe(404);
    expect((await readdir(directory)).filter((name) => name.startsWith('2026'))).toEqual([]);
    const events = rig.audited.filter(({ event }) => /hold|deleted/.test(event));
    expect(events.map((event) => [event.event, 'action' in event ? event.action : undefined])).toEqual([
      ['recording_hold', 'set'],
      ['recording_hold', 'remove'],
      ['recording_deleted', undefined],
    ]);
  });

  test('a storage that is away is an error of its own', async () => {
    const { rig, storage, directory } = await startRecordings();
    await aRecording(storage);
    const ada = await rig.signedIn('ada');
    await rm(directory, { recursive: true });
    const answer = await ada.get(list);
    expect([answer.status, answer.json.code]).toEqual([503, 'recordings_unavailable']);
  });
});

function recordsIn(body: Buffer) {
  const decoder = createRecordDecoder();
  const records = [];
  for (let at = 0; at < body.length; at += 4 + body.readUInt32BE(at))
    records.push(...(decoder.decode(body.subarray(at + 4, at + 4 + body.readUInt32BE(at))) ?? []));
  return records;
}
