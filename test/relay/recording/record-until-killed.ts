import { randomBytes } from 'node:crypto';
import { createRecordings } from '@porthole/relay/recording/open-recordings';
import { recordings } from '@porthole/shared/config/recordings-schema';
import { createLog } from '@porthole/shared/telemetry/log';
import { systemClock } from '@porthole/shared/time/clock';
import { facts, recordingKeys } from '../../shared/recording/sample-recording.ts';

/** A process that records a counter and a mebibyte of noise per second, flushes each second, and prints its recording and its state. */
const [directory = '', spoolDirectory = ''] = process.argv.slice(2);
const config = recordings.parse({
  encryptionKeys: () => recordingKeys().join(' '),
  storage: { directory },
  spool: { directory: spoolDirectory, flushSeconds: 1 },
});
const relay = createRecordings(config, {
  clock: systemClock,
  monotonicMs: () => performance.now(),
  random: randomBytes,
  log: createLog({ service: 'test', level: 'silent' }),
  onState: (state) => console.log(JSON.stringify({ state })),
});
await relay.start?.();
const recorder = await relay.record({ ordinal: 1, facts, onFull() {} });
console.log(JSON.stringify({ recording: recorder.address.recording }));
let count = 0;
setInterval(() => {
  recorder.record({ type: 'mark', name: 'note', text: String(count++) });
  recorder.screen(randomBytes(20_000));
  console.log(JSON.stringify({ count }));
}, 20);
