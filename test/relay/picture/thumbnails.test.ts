import fc from 'fast-check';
import { Framebuffer } from '@porthole/relay/picture/framebuffer';
import { ThumbnailPicture, thumbnailScale } from '@porthole/relay/picture/thumbnail-picture';
import { createThumbnailReader, encodeThumbnail } from '@porthole/relay/screen/thumbnail-frames';
import type { EncodeJpeg } from '@porthole/relay/picture/encoded-tiles';
import { createConnected, fakeJpeg, novncEncodings, updateRequest } from './picture-server-rig.ts';

/** The reduced picture, pixel by pixel, as a textbook has it. */
function reduced({ width, height, pixels }: Pick<Framebuffer, 'width' | 'height' | 'pixels'>): number[] {
  const scale = thumbnailScale({ width, height });
  const result: number[] = [];
  for (let top = 0; top < height; top += scale)
    for (let left = 0; left < width; left += scale) {
      const block: number[] = [];
      for (let y = top; y < Math.min(height, top + scale); y++)
        for (let x = left; x < Math.min(width, left + scale); x++) block.push(pixels[y * width + x] ?? 0);
      for (const shift of [16, 8, 0]) {
        const sum = block.reduce((total, pixel) => total + ((pixel >>> shift) & 0xff), 0);
        result.push(Math.floor(sum / block.length + 0.5));
      }
    }
  return result;
}

test('whatever is drawn, a thumbnail is the reduced picture, although only changed tiles are computed', () => {
  const side = fc.integer({ min: 1, max: 300 });
  const drawing = fc.record({
    x: fc.nat(),
    y: fc.nat(),
    width: fc.nat(),
    height: fc.nat(),
    colour: fc.integer({ min: 0, max: 0xff_ff_ff }),
  });
  fc.assert(
    fc.property(
      side,
      side,
      fc.array(fc.array(drawing, { maxLength: 5 }), { maxLength: 4 }),
      (w, h, updates) => {
        const picture = new Framebuffer(w, h);
        const thumbnail = new ThumbnailPicture(picture);
        thumbnail.update(picture);
        for (const drawings of updates) {
          picture.beginUpdate();
          for (const { colour, ...each } of drawings) {
            const [x, y] = [each.x % w, each.y % h];
            const [width, height] = [1 + (each.width % (w - x)), 1 + (each.height % (h - y))];
            picture.fillRegion(x, y, width, height, colour);
            picture.touch({ x, y, width, height });
          }
          const before = [...thumbnail.pixels];
          const changed = thumbnail.update(picture);
          expect([...thumbnail.pixels]).toEqual(reduced(picture));
          expect(changed).toBe(before.some((value, i) => value !== thumbnail.pixels[i]));
        }
      },
    ),
    { numRuns: 60 },
  );
});

test.each([
  [1280, 800, 4, 320, 200],
  [2048, 100, 4, 512, 25],
  [3840, 2160, 8, 480, 270],
  [8192, 8192, 16, 512, 512],
])('a picture of %d by %d is reduced 1:%d', (width, height, scale, smallWidth, smallHeight) => {
  expect(thumbnailScale({ width, height })).toBe(scale);
  const picture = new Framebuffer(width, height);
  picture.pixels.fill(0xff_ff_ff);
  const thumbnail = new ThumbnailPicture(picture);
  thumbnail.update(picture);
  expect([thumbnail.width, thumbnail.height]).toEqual([smallWidth, smallHeight]);
  // White stays white: no sum overflows.
  expect(thumbnail.pixels.every((value) => value === 0xff)).toBe(true);
});

const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

/** A server with a picture, whose JPEG files are pixels. */
async function serve(encodeJpeg: EncodeJpeg = fakeJpeg) {
  const encoded: number[] = [];
  const rig = await createConnected(128, 128, {
    encodeJpeg: (pixels, size, quality) => {
      encoded.push(rig.clock.now());
      return encodeJpeg(pixels, size, quality);
    },
  });
  return {
    ...rig,
    encoded,
    async advance(ms: number) {
      for (let left = ms; left > 0; left -= 100) {
        rig.clock.advance(100);
        await turns();
      }
    },
    add(...ids: number[]) {
      for (const id of ids) {
        rig.server.addThumbnail(id);
        rig.server.requestThumbnail(id);
      }
    },
  };
}

test('consumers get one thumbnail per request, encoded once for all, when the picture changes, at most one per second', async () => {
  const { server, thumbnails, encoded, advance, add, drawPixel, machine } = await serve();
  add(1, 2);
  await advance(300);
  expect(thumbnails.map(({ id }) => id)).toEqual([1, 2]);
  expect(encoded).toHaveLength(1);
  expect([...(thumbnails[0]?.image ?? [])].slice(1)).toEqual(
    reduced({ width: 128, height: 128, pixels: Uint32Array.from(machine.picture.pixels) }).map(
      (value) => value & 0xf8,
    ),
  );
  server.requestThumbnail(1);
  await advance(5000);
  expect(thumbnails).toHaveLength(2);
  // A change of pixels that are equal after all is none.
  drawPixel(0, 0, machine.picture.pixels[0] ?? 0);
  await advance(2000);
  expect([thumbnails.length, encoded.length]).toEqual([2, 1]);
  for (let i = 0; i < 30; i++) {
    drawPixel(i, 0, i % 2 ? 0xff_ff_ff : 0);
    for (let y = 0; y < 4; y++) drawPixel(i, y, i % 3 ? 0xff_ff_ff : 0);
    server.requestThumbnail(1);
    await advance(100);
  }
  expect(encoded.length - 1).toBeGreaterThanOrEqual(2);
  expect(encoded.length - 1).toBeLessThanOrEqual(4);
  // The other one has not asked.
  expect(thumbnails.slice(2).every(({ id }) => id === 1)).toBe(true);
  server.requestThumbnail(2);
  await advance(2000);
  expect(thumbnails.some(({ id }, i) => i > 1 && id === 2)).toBe(true);
});

test('the first thumbnail of a tile goes before the complete picture of a viewer, which follows at once', async () => {
  const { addViewer, add, clock, drawPixel, encoded, send } = await serve();
  const { updates } = addViewer(1, novncEncodings);
  send(1, updateRequest(false));
  expect(updates).toHaveLength(1);
  clock.advance(50);
  send(1, updateRequest(true));
  add(2);
  expect(encoded).toHaveLength(1);
  drawPixel(1, 1, 0xff_ff_ff);
  expect(updates).toHaveLength(1);
  clock.advance(0);
  expect(updates).toHaveLength(2);
});

test('for thumbnails alone the machine is asked every two seconds, while one is requested', async () => {
  const { server, toMachine, advance, add, drawPixel } = await serve();
  add(1);
  await advance(100);
  server.requestThumbnail(1);
  const requests = () => toMachine.filter((message) => message[0] === 3).length;
  const before = requests();
  for (let second = 0; second < 20; second++) {
    drawPixel(second, 0, 0x12_34_56 * second);
    server.requestThumbnail(1);
    await advance(1000);
  }
  expect(requests() - before).toBeGreaterThanOrEqual(9);
  expect(requests() - before).toBeLessThanOrEqual(11);
  server.removeViewer(1);
  await advance(10_000);
  const after = requests();
  await advance(10_000);
  expect(requests()).toBe(after);
});

test('a viewer is served at the full rate while its screen has thumbnails', async () => {
  const { addViewer, send, toMachine, advance, add, drawPixel, clock, askForAll } = await serve();
  add(1);
  await advance(300);
  addViewer(2, [0]);
  askForAll(2);
  const before = toMachine.length;
  for (let i = 0; i < 20; i++) {
    drawPixel(i, 9, 0x01_01_01 * (i + 1));
    send(2, updateRequest(true));
    clock.advance(60);
  }
  expect(toMachine.length - before).toBeGreaterThan(10);
});

test('an encoder that fails is tried again a second later', async () => {
  let failures = 2;
  const { thumbnails, encoded, advance, add } = await serve((pixels) => {
    if (failures-- > 0) throw new Error('no memory');
    return fakeJpeg(pixels);
  });
  add(1);
  await advance(3000);
  expect([thumbnails.length, encoded.length]).toEqual([1, 3]);
});

test('a thumbnail arrives whole however its bytes are split, and one that is too long is refused', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
      (images, cuts) => {
        const stream = Buffer.concat(
          images.map((bytes) => encodeThumbnail({ width: 320, height: 200, bytes })),
        );
        const read: Buffer[] = [];
        const push = createThumbnailReader((thumbnail) => read.push(thumbnail));
        for (let at = 0, cut = 0; at < stream.length; cut++) {
          const end = Math.min(stream.length, at + (cuts[cut % cuts.length] ?? 1));
          push(stream, at, end);
          at = end;
        }
        expect(read.map((each) => [each.readUInt16BE(0), each.readUInt16BE(2), each[4]])).toEqual(
          images.map(() => [320, 200, 1]),
        );
        expect(read.map((each) => Uint8Array.from(each.subarray(5)))).toEqual(images);
      },
    ),
  );
  const tooLong = Buffer.from([0xff, 0xff, 0xff, 0xff, 0]);
  expect(() => createThumbnailReader(() => {})(tooLong, 0, 5)).toThrow(
    expect.objectContaining({ code: 'proxmox_invalid_response' }),
  );
});
