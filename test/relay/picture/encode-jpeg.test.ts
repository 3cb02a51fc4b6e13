import { encodeJpeg } from '@porthole/relay/picture/encode-jpeg';
import sharp from 'sharp';

const width = 64;
const height = 48;

/** A gradient from black to a colour, as in a photograph. */
const gradient = () => {
  const pixels = Buffer.alloc(3 * width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) pixels.set([x * 4, y * 5, (x + y) * 2], 3 * (y * width + x));
  return pixels;
};

test.each([15, 77, 92, 100])('pixels as JPEG of quality %d look as before', async (quality) => {
  const pixels = gradient();
  const file = await encodeJpeg(Buffer.from(pixels), { width, height }, quality);
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([width, height, 3]);
  const errors = pixels.map((value, i) => Math.abs(value - (data[i] ?? 0)));
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  expect(mean).toBeLessThan(quality < 50 ? 16 : 4);
});

test('a higher quality takes more bytes', async () => {
  const sizes = await Promise.all(
    [15, 77, 100].map(async (quality) => (await encodeJpeg(gradient(), { width, height }, quality)).length),
  );
  expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  expect(new Set(sizes).size).toBe(3);
});

test('the file is in memory of its own, so that a thread can hand it over', async () => {
  const file = await encodeJpeg(gradient(), { width, height }, 77);
  expect(file.byteLength).toBe(file.buffer.byteLength);
});
