import { TileCache } from '@porthole/relay/picture/tile-cache';
import { createPictureServer } from '@porthole/relay/picture/picture-server';
import { createFakeClock } from '../../fakes/clock.ts';
import { u16, u32 } from '../rfb/bytes.ts';
import { update } from '../rfb/server-stream.ts';
import {
  createConnected,
  novncEncodings,
  setEncodings,
  setPixelFormat,
  updateRequest,
} from './picture-server-rig.ts';
import { sampleFormats } from './sample-formats.ts';
import { ignoredServerEvents } from './ignored-server-events.ts';

const mib = 1024 * 1024;
const serverInit = (width: number, height: number) =>
  Buffer.concat([u16(width), u16(height), Buffer.alloc(16), u32(0)]);
const resized = (width: number, height: number) =>
  update(Buffer.concat([u16(0), u16(0), u16(width), u16(height), u32(-223)]));
/** Hextile with one background colour per tile: 5 bytes for 256 pixels. */
const filled = (width: number, height: number) => {
  const tiles = Math.ceil(width / 16) * Math.ceil(height / 16);
  const body = Buffer.alloc(tiles, 0);
  return update(Buffer.concat([u16(0), u16(0), u16(width), u16(height), u32(5), body]));
};

function createCounting(cacheBytes = mib) {
  const clock = createFakeClock();
  const cache = new TileCache(cacheBytes);
  const counts = { bytesToViewers: 0, updates: 0, largest: 0 };
  const failures: string[] = [];
  const server = createPictureServer({
    clock,
    cache,
    events: {
      ...ignoredServerEvents,
      toViewers(ids, message) {
        const bytes = message.reduce((sum, { length }) => sum + length, 0);
        counts.bytesToViewers += ids.length * bytes;
        counts.largest = Math.max(counts.largest, bytes);
        counts.updates += ids.length;
      },
      onMachineFailed: (detail) => void failures.push(detail),
    },
  });
  return { server, clock, cache, counts, failures };
}

describe('a hostile machine', () => {
  test('that changes its size a thousand times a second is given up', () => {
    const { server, failures, clock } = createCounting();
    server.connect('authenticated');
    server.onMachineBytes(serverInit(100, 100));
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    let sizes = 0;
    for (; failures.length === 0 && sizes < 1000; sizes++) {
      clock.advance(1);
      server.onMachineBytes(sizes % 2 === 0 ? resized(4096, 4096) : resized(8192, 2048));
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(failures).toEqual(['the VNC server sent more than 60 sizes in a second']);
    expect(sizes).toBeLessThan(100);
    // One picture of 64 MiB at a time, and its successor.
    expect(most).toBeLessThan(140 * mib);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 * mib);
  });

  test('that fills pictures of 64 MiB of changing sizes costs two of them', () => {
    const { server, failures, clock, counts } = createCounting();
    server.addViewer(1, 'the machine');
    server.onViewerMessage(1, setEncodings(novncEncodings));
    server.connect('authenticated');
    server.onMachineBytes(serverInit(4096, 4096));
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for (let i = 0; i < 6; i++) {
      const [width, height] = i % 2 === 0 ? [4096, 4096] : [8192, 2048];
      clock.advance(1000);
      server.onMachineBytes(resized(width, height));
      server.onMachineBytes(filled(width, height));
      for (let ask = 0; ask < 3; ask++) {
        server.onViewerMessage(1, updateRequest(true));
        clock.advance(1000);
      }
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(failures).toEqual([]);
    expect(counts.updates).toBeGreaterThan(6);
    expect(most).toBeLessThan(200 * mib);
    server.stop();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * mib);
  });
});

describe('a hostile viewer', () => {
  test('that asks ten thousand times in a second without reading gets sixty updates', async () => {
    const { clock, send, addViewer } = await createConnected();
    const viewer = addViewer(1, [0]);
    for (let i = 0; i < 10_000; i++) {
      send(1, updateRequest(false));
      if (i % 10 === 0) clock.advance(1);
    }
    expect(viewer.updates.length).toBeGreaterThan(50);
    expect(viewer.updates.length).toBeLessThan(64);
  });

  test('that asks for a picture of 64 MiB in Raw again and again gets one per second', () => {
    const { server, clock, counts, cache } = createCounting();
    server.connect('authenticated');
    server.onMachineBytes(serverInit(4096, 4096));
    server.onMachineBytes(filled(4096, 4096));
    server.addViewer(1, 'the machine');
    for (let i = 0; i < 300; i++) {
      server.onViewerMessage(1, updateRequest(false));
      clock.advance(10);
    }
    expect(counts.bytesToViewers).toBeLessThan(4 * 65 * mib);
    expect(cache.bytes).toBeLessThan(1.1 * mib);
    server.stop();
    expect(cache.bytes).toBe(0);
  });

  test('that changes its pixel format before each request has its tiles encoded twice a second, and not for each', async () => {
    const { clock, send, addViewer } = await createConnected();
    const viewer = addViewer(1, novncEncodings);
    for (let ms = 0; ms < 2000; ms += 4) {
      const format = sampleFormats[(ms / 4) % sampleFormats.length];
      if (format) send(1, setPixelFormat(format));
      send(1, updateRequest(false));
      clock.advance(4);
    }
    expect(viewer.updates.length).toBeGreaterThan(3);
    expect(viewer.updates.length).toBeLessThan(12);
  });

  test('that changes its pixel format all the time fills no cache, and gets no colour map that it does not ask for', () => {
    const { server, clock, counts, cache } = createCounting(64 * mib);
    server.connect('authenticated');
    server.onMachineBytes(serverInit(640, 480));
    server.onMachineBytes(filled(640, 480));
    server.addViewer(1, 'the machine');
    const afterInit = counts.updates;
    for (let i = 0; i < 10_000; i++) {
      const format = sampleFormats[i % sampleFormats.length];
      if (format) server.onViewerMessage(1, setPixelFormat(format));
    }
    expect(counts.updates).toBe(afterInit);
    for (let i = 0; i < 100; i++) {
      const format = sampleFormats[i % sampleFormats.length];
      if (format) server.onViewerMessage(1, setPixelFormat(format));
      server.onViewerMessage(1, updateRequest(true));
      clock.advance(100);
    }
    // One form: at most four bytes per pixel, and what an entry takes.
    expect(cache.bytes).toBeLessThan(4 * 640 * 480 + 80 * 500);
    server.removeViewer(1);
    expect(cache.bytes).toBe(0);
  });
});
