import { systemClock } from '@porthole/shared/time/clock';
import { MessageBatch } from './message-batch.ts';
import { ServedPicture, type CreatePictureServer } from './served-picture.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** The port of a worker to its relay (`parentPort`). */
export interface RelayPort {
  on(event: 'message', listener: (messages: readonly ToWorker[]) => void): unknown;
  postMessage(messages: readonly FromWorker[], transfer: readonly ArrayBuffer[]): void;
}

/**
 * Serves the pictures of any number of screens in a worker thread, as its relay asks through the port. `cacheBytes`
 * returns what the worker keeps for all of them.
 */
export function servePictures(
  port: RelayPort,
  createServer: CreatePictureServer,
  cacheBytes: () => number = () => 0,
): void {
  const batch = new MessageBatch<FromWorker>((messages, transfer) => port.postMessage(messages, transfer));
  const pictures = new Map<number, ServedPicture>();
  const work = { decodeSeconds: 0, encodeSeconds: 0 };

  /** Measures what runs, for the metrics. */
  function measure(kind: keyof typeof work, run: () => void): void {
    const startedAt = performance.now();
    run();
    work[kind] += (performance.now() - startedAt) / 1000;
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
}
