import { randomBytes } from 'node:crypto';
import { endAtFlushBytes } from '@porthole/relay/recording/spool';
import { createPartWriter, type PartWriter } from '@porthole/shared/recording/write/part-writer';
import { createPartName, createRecordingId } from '@porthole/shared/recording/names';
import { startScreen } from '../fakes/recordings/screen-script.ts';
import { startSharedScreen } from '../fakes/recordings/shared-screen-script.ts';
import { recordingKeys, someFacts } from '../fakes/recordings/write-recording.ts';
import { officeWork, shellWork, videoWork } from './synthetic-work.ts';

/**
 * `npm run bench:sizes`: sizes of recordings of an hour, for docs/recordings.md. Video is the same all the time, so a
 * part of the hour is recorded and multiplied.
 */
const hourSeconds = 3600;
const [width, height] = [1280, 800];
const flushMs = 5000;

interface Measured {
  readonly viewerBytes: number;
  readonly keyframeBytes: number;
  readonly storedBytes: number;
}

async function measure(
  seconds: number,
  work: (writer: PartWriter, at: (ms: number) => void, now: () => number) => void | Promise<void>,
): Promise<Measured> {
  let now = 0;
  let [viewerBytes, keyframeBytes, storedBytes] = [0, 0, 0];
  const written = createPartWriter(
    {
      keys: recordingKeys,
      random: randomBytes,
      monotonicMs: () => now,
      wallMs: () => now,
      endAtFlushBytes: endAtFlushBytes.journal,
      sink: { append: (_, pieces) => void (storedBytes += Buffer.concat(pieces).length) },
    },
    { recording: createRecordingId(0, randomBytes), part: createPartName(1, randomBytes) },
    someFacts,
  );
  const writer: PartWriter = {
    ...written,
    screen(bytes) {
      viewerBytes += bytes.length;
      written.screen(bytes);
    },
    terminalOutput(bytes) {
      viewerBytes += bytes.length;
      written.terminalOutput(bytes);
    },
    record(record) {
      if (record.type === 'keyframe') keyframeBytes += record.bytes.length;
      written.record(record);
    },
  };
  const at = (ms: number) => {
    for (let next = (Math.floor(now / flushMs) + 1) * flushMs; next <= ms; next += flushMs) {
      now = next;
      written.flush();
    }
    now = ms;
  };
  await work(writer, at, () => now);
  at(seconds * 1000);
  written.end('closed');
  storedBytes += written.index().length;
  const hours = hourSeconds / seconds;
  return {
    viewerBytes: viewerBytes * hours,
    keyframeBytes: keyframeBytes * hours,
    storedBytes: storedBytes * hours,
  };
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0);
const row = (name: string, { viewerBytes, keyframeBytes, storedBytes }: Measured) =>
  console.log(
    `| ${name} | ${megabytes(viewerBytes)} MB | ${megabytes(keyframeBytes)} MB | ${megabytes(storedBytes)} MB | ${(storedBytes / viewerBytes).toFixed(2)} |`,
  );

console.log('| An hour of | To the viewer | Keyframes | In the storage | Ratio |');
console.log('|---|--:|--:|--:|--:|');
row('shell', await measure(hourSeconds, (writer, at) => shellWork({ writer, at, seconds: hourSeconds })));
for (const [name, seconds, work] of [
  ['office desktop', hourSeconds, officeWork],
  ['video of 640x360, 10 pictures per second', 65, videoWork],
] as const) {
  row(
    `${name}, console of its own`,
    await measure(seconds, (writer, at) => work(startScreen(writer, width, height), { writer, at, seconds })),
  );
  row(
    `${name}, shared screen`,
    await measure(seconds, (writer, at, now) =>
      work(startSharedScreen(writer, now, width, height, { jpeg: true }), { writer, at, seconds }),
    ),
  );
}
