import { Worker } from 'node:worker_threads';
import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import { MessageBatch } from '../picture/message-batch.ts';
import type {
  FromPicture,
  FromWorker,
  PictureWorkerData,
  ToPicture,
  ToWorker,
  WorkerWork,
} from '../picture/worker-messages.ts';

/** Interval of the checks whether a worker with screens still works. */
const checkMs = 5000;
/**
 * How many checks in a row a worker may leave unanswered: it hangs after ten seconds, because no single step of its work
 * takes nearly as long. Checks are counted, because a relay that was suspended finds the answer after its timers.
 */
const maxUnanswered = 2;

/**
 * Limits of a worker's heap, in MiB. Pictures and their encoded tiles are outside of it; they are limited by what a
 * machine may claim, and by the configuration.
 */
const resourceLimits = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 64 };

/** The module that a worker runs: the source under type stripping, or the compiled file beside this one. */
const isSource = import.meta.url.endsWith('.ts');
export const pictureWorkerUrl = new URL(
  `../picture/picture-worker.${isSource ? 'ts' : 'js'}`,
  import.meta.url,
);

/** What a screen hears of its picture server. */
export interface PictureListener {
  onPictureMessage(message: FromPicture): void;
  /** The picture server is gone, with its picture and its viewers. */
  onPictureLost(detail: string): void;
}

/** A screen's picture server in a worker thread. */
export interface RemotePicture {
  /** Sends a message to the picture server. `transfer` is memory that it owns from then on. */
  post(message: ToPicture, transfer?: ArrayBuffer): void;
  /** Ends the picture server. Idempotent. */
  close(): void;
}

/** One worker thread and the screens that it serves. */
export class PictureThread {
  /** Resolves when the worker has loaded its module, or is lost. Does not reject. */
  readonly ready: Promise<void>;
  readonly #resolveReady: () => void;
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #onWork: (work: WorkerWork) => void;
  readonly #onLost: (thread: PictureThread) => void;
  readonly #batch = new MessageBatch<ToWorker>((messages, transfer) =>
    this.#worker.postMessage(messages, transfer),
  );
  readonly #screens = new Map<number, PictureListener>();
  #nextScreen = 1;
  #cancelChecks: Cancel | undefined;
  /** Checks since the worker sent something. */
  #unanswered = 0;
  #ended = false;
  /** Bytes of encoded tiles that the worker kept at the last check. */
  cacheBytes = 0;

  constructor(deps: {
    readonly url: URL;
    /** What the module of the worker is given (`workerData`). */
    readonly workerData: PictureWorkerData;
    readonly clock: Clock;
    readonly onWork: (work: WorkerWork) => void;
    /** The worker died or hung. All its screens have been told. */
    readonly onLost: (thread: PictureThread) => void;
  }) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#resolveReady = resolve;
    this.#clock = deps.clock;
    this.#onWork = deps.onWork;
    this.#onLost = deps.onLost;
    // Explicit arguments: those of the relay may be for its process only.
    this.#worker = new Worker(deps.url, {
      execArgv: isSource ? ['--conditions=source'] : [],
      workerData: deps.workerData,
      resourceLimits,
      name: 'screen pictures',
    });
    this.#worker.on('message', (messages: readonly FromWorker[]) => this.#onMessages(messages));
    this.#worker.on('messageerror', (error) => this.#lose(String(error)));
    this.#worker.on('error', (error) => this.#lose(`the worker thread failed: ${String(error)}`));
    this.#worker.on('exit', (code) => this.#lose(`the worker thread exited with ${code}`));
  }

  get screens(): number {
    return this.#screens.size;
  }

  open(listener: PictureListener): RemotePicture {
    const screen = this.#nextScreen++;
    this.#screens.set(screen, listener);
    this.#cancelChecks ??= every(this.#clock, checkMs, () => this.#check());
    return {
      post: (message, transfer) => {
        if (this.#screens.has(screen)) this.#batch.add({ type: 'screen', screen, message }, transfer);
      },
      close: () => {
        if (this.#screens.has(screen)) this.#close(screen);
      },
    };
  }

  /** Ends the worker, without a word to its screens. */
  async stop(): Promise<void> {
    this.#ended = true;
    this.#resolveReady();
    this.#stopChecks();
    this.#screens.clear();
    await this.#worker.terminate();
  }

  #onMessages(messages: readonly FromWorker[]): void {
    this.#unanswered = 0;
    this.#resolveReady();
    for (const message of messages) {
      if (message.type === 'checked') {
        this.cacheBytes = message.work.cacheBytes;
        this.#onWork(message.work);
      } else if (message.type === 'screen') this.#onScreenMessage(message.screen, message.message);
    }
  }

  #onScreenMessage(screen: number, message: FromPicture): void {
    const listener = this.#screens.get(screen);
    if (!listener) return;
    if (message.type !== 'failed') {
      listener.onPictureMessage(message);
      return;
    }
    this.#close(screen);
    listener.onPictureLost(message.detail);
  }

  #close(screen: number): void {
    this.#screens.delete(screen);
    this.#batch.add({ type: 'screen', screen, message: { type: 'close' } });
    if (this.#screens.size === 0) this.#stopChecks();
  }

  #check(): void {
    if (this.#unanswered === maxUnanswered) {
      this.#lose('the worker thread does not answer');
      return;
    }
    this.#unanswered++;
    this.#batch.add({ type: 'check' });
  }

  #stopChecks(): void {
    this.#cancelChecks?.();
    this.#cancelChecks = undefined;
    this.#unanswered = 0;
  }

  #lose(detail: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#resolveReady();
    this.#stopChecks();
    void this.#worker.terminate();
    const listeners = [...this.#screens.values()];
    this.#screens.clear();
    // First, so that a screen that connects again at once gets another worker.
    this.#onLost(this);
    for (const listener of listeners) listener.onPictureLost(detail);
  }
}
