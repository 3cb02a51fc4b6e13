import type { RandomBytes } from '@porthole/shared/crypto/random';
import { StorageError } from '@porthole/shared/recording/storage/storage-error';
import type { Log } from '@porthole/shared/telemetry/log';
import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import { createRecordings } from './open-recordings.ts';
import type { PartRecorder } from './part-recorder.ts';
import { readSlab } from './record-slab.ts';
import { createScreenWriter } from './screen-writer.ts';
import { SlabReceiver } from './slab-receiver.ts';
import {
  fromSentConfig,
  type FromRecorder,
  type RecorderThreadData,
  type ToRecorder,
} from './thread-messages.ts';

export interface RelayPort {
  on(event: 'message', listener: (message: ToRecorder) => void): void;
  postMessage(message: FromRecorder): void;
}

interface ServedPart extends Pick<PartRecorder, 'end'> {
  readonly written: Pick<PartRecorder, 'screen' | 'record'>;
}

const statusMs = 1000;
/** Interval at which the thread looks for records while there are parts: waking it for each slab costs the relay more. */
const lookMs = 250;

/**
 * Writes and stores the recordings of a relay, in a thread of its own: compression, encryption, hashes and uploads must
 * not delay consoles. Times are those that the relay sends with the records.
 */
export function serveRecorder(
  port: RelayPort,
  data: RecorderThreadData,
  deps: { readonly clock: Clock; readonly random: RandomBytes },
): void {
  let { secrets } = data;
  /** The relay's clock, as of the newest message. */
  let nowMs = 0;
  const parts = new Map<number, ServedPart>();
  const beginning = new Map<number, AbortController>();
  const slabs = new SlabReceiver(data.slabs, write, () => recordings.isBusy());
  let cancelLooks: Cancel | undefined;
  const recordings = createRecordings(
    fromSentConfig(data.config, () => secrets),
    {
      ...deps,
      monotonicMs: () => nowMs,
      log: createSentLog(port),
      onState: sendStatus,
      onPiecesLost: (count) => port.postMessage({ type: 'lost', count }),
    },
  );

  function sendStatus(): void {
    port.postMessage({ type: 'status', state: recordings.state(), usage: recordings.usage() });
  }

  const fail = (error: unknown) => port.postMessage({ type: 'failed', detail: describe(error) });

  async function begin(message: Extract<ToRecorder, { type: 'begin' }>): Promise<void> {
    const { part, recording, ordinal, facts } = message;
    ({ secrets } = message);
    nowMs = Math.max(nowMs, message.atMs);
    const abandoned = new AbortController();
    beginning.set(part, abandoned);
    try {
      const recorder = await recordings.record({
        recording,
        ordinal,
        facts,
        onFull: () => port.postMessage({ type: 'full', part }),
        signal: abandoned.signal,
      });
      if (abandoned.signal.aborted) return recorder.end('not_begun');
      const fail = (detail: string) => port.postMessage({ type: 'unreadable', part, detail });
      const isScreen = facts.kind === 'screen';
      const written = isScreen
        ? createScreenWriter(recorder, { clipboard: facts.clipboard, fail })
        : recorder;
      cancelLooks ??= every(deps.clock, lookMs, () => slabs.take());
      parts.set(part, { written, end: (reason) => recorder.end(reason) });
      port.postMessage({ type: 'begun', part, address: recorder.address });
    } catch (error) {
      const code = error instanceof StorageError ? error.code : undefined;
      const detail = error instanceof StorageError ? error.detail : describe(error);
      port.postMessage({ type: 'refused', part, error: { code, detail } });
    } finally {
      beginning.delete(part);
    }
  }

  function write(bytes: Buffer): void {
    let latestMs = nowMs;
    readSlab(bytes, {
      screen(part, timeMs, source, start, end) {
        nowMs = timeMs;
        latestMs = Math.max(latestMs, timeMs);
        parts.get(part)?.written.screen(source, start, end);
      },
      record(part, timeMs, record) {
        nowMs = timeMs;
        latestMs = Math.max(latestMs, timeMs);
        parts.get(part)?.written.record(record);
      },
    });
    // The parts come one after the other, each from the beginning of the slab.
    nowMs = latestMs;
  }

  function end({ part, atMs, reason }: Extract<ToRecorder, { type: 'end' }>): void {
    nowMs = Math.max(nowMs, atMs);
    parts.get(part)?.end(reason);
    parts.delete(part);
    if (parts.size > 0) return;
    cancelLooks?.();
    cancelLooks = undefined;
  }

  async function stop(cancelStatus: () => void): Promise<void> {
    cancelStatus();
    cancelLooks?.();
    await recordings.stop?.();
    sendStatus();
    port.postMessage({ type: 'stopped' });
  }

  async function start(): Promise<void> {
    await recordings.start?.();
    const cancelStatus = every(deps.clock, statusMs, sendStatus);
    port.on('message', (message) => {
      if (message.type === 'records') {
        if (message.memory) slabs.receive(message.memory);
        else slabs.take();
        return;
      }
      if (message.type === 'time') {
        slabs.take();
        ({ secrets } = message);
        // Time does not overtake what waits.
        if (!recordings.isBusy()) nowMs = Math.max(nowMs, message.atMs);
        return;
      }
      // What was recorded before the message.
      slabs.takeAll();
      if (message.type === 'begin') void begin(message).catch(fail);
      else if (message.type === 'end') end(message);
      else if (message.type === 'abandon') beginning.get(message.part)?.abort();
      else void stop(cancelStatus).catch(fail);
    });
    port.postMessage({ type: 'started' });
  }

  void start().catch(fail);
}

function createSentLog(port: RelayPort): Pick<Log, 'info' | 'warn' | 'error'> {
  const send =
    (level: 'info' | 'warn' | 'error') =>
    (facts: object, text = '') =>
      port.postMessage({ type: 'log', level, facts: sendable(facts), text });
  return { info: logTo(send('info')), warn: logTo(send('warn')), error: logTo(send('error')) };
}

type LogTo = Log['info'];

/** A line of the log is a text, or facts and a text. */
const logTo = (send: (facts: object, text?: string) => void) =>
  ((first: object | string, text?: string) =>
    typeof first === 'string' ? send({}, first) : send(first, text)) as LogTo;

/** Errors are sent as text: not all of them can be copied to another thread. */
const sendable = (facts: object) =>
  Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [
      name,
      value instanceof Error ? describe(value) : (value as unknown),
    ]),
  );

const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
