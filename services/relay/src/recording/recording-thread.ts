import { Worker } from 'node:worker_threads';
import type { RecordingsConfig } from '@porthole/shared/config/recordings-schema';
import { StorageError } from '@porthole/shared/recording/storage/storage-error';
import type { Log } from '@porthole/shared/telemetry/log';
import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import { onAbort } from '@porthole/shared/time/on-abort';
import type { Recordings } from './open-recordings.ts';
import type { PartRecorder, RecordPartOptions } from './part-recorder.ts';
import { encodeForSlab } from './record-slab.ts';
import { SlabSender } from './slab-sender.ts';
import { stopTimeoutOf } from './stop-timeout.ts';
import {
  readSecrets,
  toSentConfig,
  type FromRecorder,
  type RecorderThreadData,
  type ToRecorder,
} from './thread-messages.ts';

const mebibyte = 1024 * 1024;
/** Longest time that a record waits in memory of the relay. */
const sendMs = 250;
/** A thread that is lost again and again is not started at once any more, and consoles are not opened again for it. */
const maxLosses = 3;
const lossesMs = 5 * 60_000;
const isSource = import.meta.url.endsWith('.ts');
const workerUrl = new URL(`./recorder-worker.${isSource ? 'ts' : 'js'}`, import.meta.url);
/** Limits of the thread's heap, in MiB. Buffers of recordings are outside of it, and limited by the spool. */
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 };

interface SentPart {
  readonly options: RecordPartOptions;
  begun(recorder: PartRecorder): void;
  refused(error: Error): void;
}

export interface RecordingThreadDeps {
  readonly clock: Clock;
  /** Milliseconds of a clock that is not set. */
  readonly monotonicMs: () => number;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  readonly onPiecesLost: (count: number) => void;
  readonly onThreadLost: () => void;
  /** A console has waited for the recording thread. */
  readonly onWaited: (seconds: number) => void;
}

/**
 * Recordings that a thread of its own writes and stores. If the thread is lost, all parts are told, and another thread
 * stores what is left in the directory of the spool.
 */
export function createRecordingThread(config: RecordingsConfig, deps: RecordingThreadDeps): Recordings {
  return new RecordingThread(config, deps);
}

class RecordingThread implements Recordings {
  readonly name = 'recordings';
  readonly stopTimeoutMs: number;
  readonly #config: RecordingsConfig;
  readonly #deps: RecordingThreadDeps;
  readonly #parts = new Map<number, SentPart>();
  readonly #slabs: SlabSender;
  #worker: Worker | undefined;
  #started = Promise.withResolvers<void>();
  #stopped = Promise.withResolvers<void>();
  #status: Pick<Extract<FromRecorder, { type: 'status' }>, 'state' | 'usage'> = {
    state: 'ok',
    usage: { memoryBytes: 0, diskBytes: 0, objects: 0 },
  };
  #nextPart = 1;
  #cancelTicks: Cancel | undefined;
  #stopping = false;
  #lostAt: readonly number[] = [];

  constructor(config: RecordingsConfig, deps: RecordingThreadDeps) {
    this.#config = config;
    this.#deps = deps;
    this.stopTimeoutMs = stopTimeoutOf(config);
    this.#slabs = new SlabSender({
      clock: deps.clock,
      sendMs,
      monotonicMs: deps.monotonicMs,
      maxBytes: config.spool.memoryMiB * mebibyte,
      post: (memory) => this.#post({ type: 'records', memory }, memory ? [memory] : []),
      onFull: () => this.#endAll(),
      onWaited: deps.onWaited,
    });
  }

  async start(): Promise<void> {
    this.#startWorker();
    try {
      await this.#started.promise;
    } catch (error) {
      this.#stopping = true;
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#slabs.send();
    this.#stopTicks();
    this.#post({ type: 'stop' });
    await this.#stopped.promise;
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  state() {
    return this.#status.state;
  }

  usage() {
    return this.#status.usage;
  }

  record(options: RecordPartOptions): Promise<PartRecorder> {
    if (!this.#worker) this.#startWorker();
    const { monotonicMs, clock } = this.#deps;
    const part = this.#nextPart++;
    const { promise, resolve, reject } = Promise.withResolvers<PartRecorder>();
    const stopListening = onAbort(options.signal ?? new AbortController().signal, () => {
      this.#post({ type: 'abandon', part });
      this.#parts.delete(part);
      reject(options.signal?.reason as Error);
    });
    this.#parts.set(part, {
      options,
      begun(recorder) {
        stopListening();
        resolve(recorder);
      },
      refused(error) {
        stopListening();
        reject(error);
      },
    });
    this.#cancelTicks ??= every(clock, this.#config.spool.flushSeconds * 1000, () => this.#tick());
    const { recording, ordinal, facts } = options;
    const secrets = readSecrets(this.#config);
    // Times in a thread never decrease.
    this.#slabs.send();
    this.#post({ type: 'begin', part, atMs: monotonicMs(), recording, ordinal, facts, secrets });
    return promise;
  }

  #startWorker(): void {
    this.#started = Promise.withResolvers();
    this.#stopped = Promise.withResolvers();
    this.#slabs.reset();
    // Only `start` waits for it.
    this.#started.promise.catch(() => {});
    // Explicit arguments: those of the relay may be for its process only.
    const worker = new Worker(workerUrl, {
      execArgv: isSource ? ['--conditions=source'] : [],
      workerData: {
        config: toSentConfig(this.#config),
        secrets: readSecrets(this.#config),
        slabs: this.#slabs.memory,
      } satisfies RecorderThreadData,
      resourceLimits,
      name: 'recordings',
    });
    this.#worker = worker;
    worker.on('message', (message: FromRecorder) => this.#onMessage(message));
    worker.on('messageerror', (error) => this.#onLost(worker, String(error)));
    worker.on('error', (error) => this.#onLost(worker, String(error)));
    worker.on('exit', (code) => this.#onLost(worker, `exit ${code}`));
  }

  #post(message: ToRecorder, transfer: ArrayBuffer[] = []): void {
    this.#worker?.postMessage(message, transfer);
  }

  #tick(): void {
    this.#slabs.send();
    this.#post({ type: 'time', atMs: this.#deps.monotonicMs(), secrets: readSecrets(this.#config) });
  }

  #stopTicks(): void {
    this.#cancelTicks?.();
    this.#cancelTicks = undefined;
  }

  #onMessage(message: FromRecorder): void {
    switch (message.type) {
      case 'begun':
        return this.#onBegun(message);
      case 'refused': {
        const sent = this.#parts.get(message.part);
        this.#forget(message.part);
        const { code, detail } = message.error;
        return sent?.refused(code ? new StorageError(code, detail) : new Error(detail));
      }
      case 'full':
        return this.#parts.get(message.part)?.options.onFull();
      case 'unreadable':
        return this.#parts.get(message.part)?.options.onUnreadable?.(message.detail);
      case 'status':
        this.#status = message;
        return;
      case 'lost':
        return this.#deps.onPiecesLost(message.count);
      case 'log':
        return this.#deps.log[message.level](message.facts, message.text);
      case 'started':
        return this.#started.resolve();
      case 'stopped':
        return this.#stopped.resolve();
      case 'failed':
        this.#started.reject(new Error(message.detail));
        this.#deps.log.error({ detail: message.detail }, 'recording thread failed');
        return void this.#worker?.terminate();
      default:
        message satisfies never;
    }
  }

  #onBegun(message: Extract<FromRecorder, { type: 'begun' }>): void {
    const sent = this.#parts.get(message.part);
    const recorder = this.#createRecorder(message);
    if (sent) sent.begun(recorder);
    else recorder.end('not_begun');
  }

  #createRecorder({ part, address }: Extract<FromRecorder, { type: 'begun' }>): PartRecorder {
    const slabs = this.#slabs;
    const { monotonicMs } = this.#deps;
    let ended = false;
    return {
      address,
      screen: (source, start, end) => void (ended || slabs.screen(part, monotonicMs(), source, start, end)),
      terminalOutput: (source, start, end) =>
        void (ended || slabs.terminalOutput(part, monotonicMs(), source, start, end)),
      mustWait: (onCaughtUp) => !ended && slabs.mustWait(part, onCaughtUp),
      record: (record) => void (ended || slabs.add(part, monotonicMs(), encodeForSlab(record))),
      end: (reason) => {
        if (ended) return;
        ended = true;
        slabs.send();
        this.#post({ type: 'end', part, atMs: monotonicMs(), reason });
        this.#forget(part);
        slabs.release(part);
      },
    };
  }

  #forget(part: number): void {
    this.#parts.delete(part);
    if (this.#parts.size === 0) this.#stopTicks();
  }

  /** What is recorded from now on would be lost, of all parts. */
  #endAll(): void {
    for (const { options } of this.#parts.values()) options.onFull();
  }

  #onLost(worker: Worker, detail: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    // The next one uses the same directory.
    void worker.terminate();
    this.#slabs.reset();
    this.#started.reject(new Error(`The recording thread was lost: ${detail}`));
    this.#stopped.resolve();
    if (this.#stopping) return;
    const { log, clock, onPiecesLost, onThreadLost } = this.#deps;
    log.error({ detail }, 'recording thread lost');
    onThreadLost();
    onPiecesLost(1);
    this.#status = { state: 'ok', usage: { memoryBytes: 0, diskBytes: 0, objects: 0 } };
    const parts = [...this.#parts.values()];
    this.#parts.clear();
    this.#stopTicks();
    const now = clock.now();
    this.#lostAt = [...this.#lostAt.filter((at) => at > now - lossesMs), now];
    const again = this.#lostAt.length < maxLosses;
    if (again) this.#startWorker();
    for (const { options, refused } of parts) {
      refused(new Error('the recording thread was lost'));
      if (again && options.onLost) options.onLost();
      else options.onFull();
    }
  }
}
