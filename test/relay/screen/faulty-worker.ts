import { parentPort } from 'node:worker_threads';
import { PortholeError } from '@porthole/shared/errors';
import { offersEncoding } from '@porthole/relay/rfb/encodings';
import { createPictureServer } from '@porthole/relay/picture/picture-server';
import { TileCache } from '@porthole/relay/picture/tile-cache';
import { servePictures, type RelayPort } from '@porthole/relay/picture/serve-pictures';
import { faults } from './faults.ts';

const cache = new TileCache(1024 * 1024);

/** A worker thread that works until a viewer's message causes a fault (faults.ts). */
servePictures(
  parentPort as RelayPort,
  (events, deps) => {
    const server = createPictureServer({ ...deps, events, cache });
    const handle = server.onViewerMessage.bind(server);
    return Object.assign(server, {
      onViewerMessage(viewer: number, message: Uint8Array) {
        const asks = (fault: number) => message[0] === 2 && offersEncoding(Buffer.from(message), fault);
        if (asks(faults.throw)) throw new Error('the fault of a test');
        if (asks(faults.refuse))
          throw new PortholeError('viewer_protocol', { detail: 'the fault of a test' });
        if (asks(faults.die))
          setImmediate(() => {
            throw new Error('the fault of a test');
          });
        while (asks(faults.hang));
        handle(viewer, message);
      },
    });
  },
  { cacheBytes: () => cache.bytes, cpuSeconds: () => performance.now() / 1000 },
);
