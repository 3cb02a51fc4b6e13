import { systemClock } from '@porthole/shared/time/clock';
import { MessageBatch } from './message-batch.ts';
import { ServedPicture, type CreatePictureServer } from './served-picture.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** The port of a worker to its relay (`parentPort`). */
export interface RelayPort {
  on(event: 'message', listener: (messages: readonly ToWorker[]) => void): unknown;
  postMessage(messages: readonly FromWorker[], transfer: readonly ArrayBuffer[]): void;
}

/** What a worker thread reports to its relay, for the metrics. */
export interface WorkerReadings {
  /** Bytes of encoded tiles that the worker keeps for all screens. */
  readonly cacheBytes: () => number;
  /** CPU time of the thread so far. */
  readonly cpuSeconds: () => number;
}

/** Serves the pictures of any number of screens in a worker thread, as its relay asks through the port. */
export function servePictures(
  port: RelayPort,
  createServer: CreatePictureServer,
  { cacheBytes, cpuSeconds }: WorkerReadings,
): void {
  const batch = new MessageBatch<FromWorker>((messages, transfer) => port.postMessage(messages, transfer));
  const pictures = new Map<number, ServedPicture>();
  const work = { decodeSeconds: 0, encodeSeconds: 0 };

  let current: keyof typeof work | undefined;
  let measuredUntil = 0;

  /** Counts the time since the last call for what has run meanwhile. */
  function settle(): void {
    const now = cpuSeconds();
    if (current) work[current] += now - measuredUntil;
    measuredUntil = now;
  }

  /** Measures what runs. A measurement within another one does not count for that. */
  function measure(kind: keyof typeof work, run: () => void): void {
    const outer = current;
    settle();
    current = kind;
    try {
      run();
    } finally {
      settle();
      current = outer;
    }
  }

  function onMessage(message: ToWorker): void {
    if (message.type === 'check') {
      batch.add({ type: 'checked', work: { ...work, cacheBytes: cacheBytes() } });
      work.decodeSeconds = 0;
      work.encodeSeconds = 0;
      return;
    }
    const { screen } = message;
    let picture = pictures.get(screen);
    if (message.message.type === 'close') {
      picture?.stop();
      pictures.delete(screen);
      return;
    }
    if (!picture) {
      picture = new ServedPicture(createServer, {
        clock: systemClock,
        measure,
        post: (answer, transfer) => batch.add({ type: 'screen', screen, message: answer }, transfer),
      });
      pictures.set(screen, picture);
    }
    picture.onMessage(message.message);
  }

  port.on('message', (messages) => {
    for (const message of messages) onMessage(message);
  });
  batch.add({ type: 'started' });
}
