import { PortholeError } from '@porthole/shared/errors';
import { createPictureServer } from '@porthole/relay/picture/picture-server';
import { TileCache } from '@porthole/relay/picture/tile-cache';
import { createFakeClock } from '../../fakes/clock.ts';
import { u16, u32 } from '../rfb/bytes.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { DrawnPicture } from './drawn-picture.ts';
import { novncEncodings, setEncodings, setPixelFormat, updateRequest } from './picture-server-rig.ts';
import { sampleFormats } from './sample-formats.ts';
import { ignoredServerEvents } from './ignored-server-events.ts';

test('a million damaged messages of viewers are answered or refused, and nothing else happens', () => {
  const random = createSeededRandom(4);
  const clock = createFakeClock();
  const cache = new TileCache(200_000);
  let updates = 0;
  const server = createPictureServer({
    clock,
    cache,
    encodeJpeg: (pixels) => pixels.subarray(0, pixels.length / 8),
    events: {
      ...ignoredServerEvents,
      toViewers(_viewers, message) {
        updates++;
        // A message that can be taken apart: its first byte is a known type, and it has no empty part.
        if (message.some(({ length }) => length === 0)) throw new Error('an empty part');
      },
      onMachineFailed(detail) {
        throw new Error(detail);
      },
    },
  });
  const picture = new DrawnPicture(90, 70, random);
  server.connect('authenticated');
  server.onMachineBytes(picture.serverInit());
  server.onMachineBytes(picture.all());
  const valid = [
    ...sampleFormats.map(setPixelFormat),
    setEncodings(novncEncodings),
    setEncodings([7, -26]),
    setEncodings([5]),
    setEncodings([-223]),
    updateRequest(true),
    updateRequest(false),
    updateRequest(true, 10, 10, 30, 30),
    updateRequest(false, 70, 60, 500, 500),
    Buffer.concat([Buffer.of(2, 0), u16(0)]),
    Buffer.concat([Buffer.of(255, 0), u16(1), u32(0), u32(1)]),
  ];
  let refused = 0;
  for (let i = 0; i < 1_000_000; i++) {
    const id = random(4);
    if (i % 1000 === 0) {
      server.removeViewer(id);
      server.addViewer(id, 'machine');
    }
    if (i % 200 === 0) {
      server.onMachineBytes(picture.draw().message);
      clock.advance(random(50));
    }
    const original = valid[random(valid.length)] ?? Buffer.alloc(0);
    const message = Buffer.from(
      random(20) === 0 ? original.subarray(0, random(original.length + 1)) : original,
    );
    for (let damage = random(3); damage > 0 && message.length > 0; damage--)
      message[random(message.length)] = random(256);
    try {
      server.onViewerMessage(id, message);
    } catch (error) {
      if (!(error instanceof PortholeError) || error.code !== 'viewer_protocol') throw error;
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(100_000);
  expect(updates).toBeGreaterThan(1000);
  expect(cache.bytes).toBeLessThan(220_000);
  server.stop();
  expect(cache.bytes).toBe(0);
  expect(clock.pending()).toBe(0);
}, 120_000);
