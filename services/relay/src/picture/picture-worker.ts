import { parentPort, workerData } from 'node:worker_threads';
import { encodeJpeg } from './encode-jpeg.ts';
import { createPictureServer } from './picture-server.ts';
import { servePictures, type RelayPort } from './serve-pictures.ts';
import { TileCache } from './tile-cache.ts';
import type { PictureWorkerData } from './worker-messages.ts';

/** The module that a worker thread runs (picture-thread.ts). */
const { tileCacheMiB } = workerData as PictureWorkerData;
const cache = new TileCache(tileCacheMiB * 1024 * 1024);

servePictures(
  parentPort as RelayPort,
  (events, deps) => createPictureServer({ ...deps, events, cache, encodeJpeg }),
  {
    cacheBytes: () => cache.bytes,
    cpuSeconds() {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1e6;
    },
  },
);
