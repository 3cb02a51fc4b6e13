import { PortholeError } from '@porthole/shared/errors';
import type { Clock } from '@porthole/shared/time/clock';
import {
  pictureWorkerUrl,
  PictureThread,
  type PictureListener,
  type RemotePicture,
} from './picture-thread.ts';
import type { WorkerWork } from '../picture/worker-messages.ts';

/** The worker threads of a relay that decode and serve pictures. The first one starts with the first screen. */
export interface PictureThreads {
  /** Opens a picture server in the worker thread with the fewest screens. */
  open(listener: PictureListener): RemotePicture;
  /** Starts the worker thread that the next picture server needs. Resolves when it runs. Does not reject. */
  prepare(): Promise<void>;
  /** Bytes of encoded tiles that all worker threads keep. */
  readonly cacheBytes: number;
  /** Ends all worker threads, without a word to their screens. */
  stop(): Promise<void>;
}

export interface PictureThreadsDeps {
  readonly clock: Clock;
  /** Maximum number of worker threads. */
  readonly workers: number;
  /** Limit of the encoded tiles that each worker keeps, in MiB. */
  readonly tileCacheMiB: number;
  /** What a worker has done. Called every few seconds while it has screens. */
  readonly onWork: (work: WorkerWork) => void;
  /** A worker thread died or hung, and was ended. */
  readonly onWorkerLost: () => void;
  /** The module that a worker runs. Default: that of the relay. */
  readonly workerUrl?: URL | undefined;
}

export function createPictureThreads(deps: PictureThreadsDeps): PictureThreads {
  const { clock, onWork, onWorkerLost, tileCacheMiB, workers, workerUrl = pictureWorkerUrl } = deps;
  const threads = new Set<PictureThread>();
  let stopped = false;

  function start(): PictureThread {
    const thread = new PictureThread({
      url: workerUrl,
      workerData: { tileCacheMiB },
      clock,
      onWork,
      onLost(lost) {
        threads.delete(lost);
        onWorkerLost();
      },
    });
    threads.add(thread);
    return thread;
  }

  function pick(): PictureThread {
    const [idlest] = [...threads].toSorted((a, b) => a.screens - b.screens);
    if (!idlest || (idlest.screens > 0 && threads.size < workers)) return start();
    return idlest;
  }

  return {
    open(listener) {
      if (stopped) throw new PortholeError('draining');
      return pick().open(listener);
    },
    async prepare() {
      if (!stopped) await pick().ready;
    },
    get cacheBytes() {
      let bytes = 0;
      for (const thread of threads) bytes += thread.cacheBytes;
      return bytes;
    },
    async stop() {
      stopped = true;
      const stopping = [...threads].map((thread) => thread.stop());
      threads.clear();
      await Promise.all(stopping);
    },
  };
}
