import fc from 'fast-check';
import { createSeededRandom } from '../seeded-random.ts';
import {
  createPictureServerRig,
  DrawnMachine,
  expectedPixels,
  fakeJpeg,
  novncEncodings,
  updateRequest,
} from './picture-server-rig.ts';
import { nativeFormat, sampleFormats } from './sample-formats.ts';

const id = fc.nat(3);
const side = fc.nat(300);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('draw' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('photo' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('deliver' as const), bytes: fc.constantFrom(1, 50, 1000, 1e6) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('add' as const), id, kind: fc.nat(5) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), id }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('request' as const),
      id,
      incremental: fc.boolean(),
      region: fc.tuple(side, side, side, side),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pause' as const), id, paused: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('thumbnail' as const), id, thumbnail: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('format' as const), id, format: fc.nat(7) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('time' as const), ms: fc.constantFrom(1, 20, 300, 1100) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const), resized: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resize' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('encode' as const), count: fc.nat(5) }) },
);

/** Encodings of a viewer: noVNC's with and without JPEG, without a resize, Hextile with one, and Raw alone. */
const kinds: readonly (readonly number[])[] = [
  novncEncodings,
  [...novncEncodings, -26],
  [7, -30],
  [5, 7, -223],
  [-223],
  [],
];

test('each viewer that asks for everything has the picture of the machine, whatever happened before', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 60 }),
      fc.nat(),
      fc.constantFrom(20_000, 1e7),
      async (steps, seed, cacheBytes) => {
        const random = createSeededRandom(seed);
        const jobs: (() => void)[] = [];
        const finishJobs = async (count: number) => {
          for (const finish of jobs.splice(0, count)) finish();
          for (let i = 0; i < 3; i++) await Promise.resolve();
        };
        const rig = await createPictureServerRig({
          cacheBytes,
          encodeJpeg: (pixels) => new Promise((resolve) => jobs.push(() => resolve(fakeJpeg(pixels)))),
        });
        const { server, clock, viewers } = rig;
        const size = () => 1 + random(200);
        let machine = new DrawnMachine(rig, random, size(), size());
        machine.connect();
        for (const each of steps) {
          switch (each.do) {
            case 'draw':
              machine.draw();
              break;
            case 'photo':
              machine.drawPhoto();
              break;
            case 'deliver':
              machine.deliver(each.bytes);
              break;
            case 'add':
              if (viewers.has(each.id)) break;
              rig.addViewer(each.id, kinds[each.kind]);
              break;
            case 'remove':
              server.removeViewer(each.id);
              viewers.delete(each.id);
              break;
            case 'request':
              rig.send(each.id, updateRequest(each.incremental, ...each.region));
              break;
            case 'pause':
              server.setPaused(each.id, each.paused);
              break;
            case 'thumbnail':
              server.setThumbnail(each.id, each.thumbnail);
              break;
            case 'format': {
              rig.setFormat(each.id, sampleFormats[each.format] ?? nativeFormat);
              break;
            }
            case 'time':
              clock.advance(each.ms);
              break;
            case 'reconnect':
              server.disconnect();
              if (each.resized) machine = new DrawnMachine(rig, random, size(), size());
              machine.connect();
              break;
            case 'resize':
              machine.resize(size(), size());
              break;
            case 'encode':
              await finishJobs(each.count);
          }
        }
        for (const viewer of viewers.keys()) server.setPaused(viewer, false);
        // Everything that was drawn arrives; then it is quiet for long enough.
        for (let round = 0; round < 12; round++) {
          machine.deliver();
          for (const viewer of viewers.keys()) rig.send(viewer, updateRequest(true));
          await finishJobs(Infinity);
          clock.advance(600);
          await finishJobs(Infinity);
          clock.advance(600);
        }
        for (const viewer of viewers.values()) {
          const expected = expectedPixels(viewer, machine);
          const first = expected.findIndex((pixel, i) => pixel !== viewer.pixels[i]);
          expect({ first, width: viewer.width }).toEqual({ first: -1, width: viewer.width });
        }
        server.stop();
        expect(clock.pending()).toBe(0);
      },
    ),
    { numRuns: 200 },
  );
}, 120_000);
