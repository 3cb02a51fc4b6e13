import fc from 'fast-check';
import { encodeHextile } from '@porthole/relay/picture/encode-hextile';
import { encodeRaw } from '@porthole/relay/picture/encode-raw';
import { Framebuffer } from '@porthole/relay/picture/framebuffer';
import { ScreenDecoder } from '@porthole/relay/picture/screen-decoder';
import { nativeFormatBytes, readViewerFormat } from '@porthole/relay/picture/viewer-format';
import { u16, u32 } from '../rfb/bytes.ts';
import { update } from '../rfb/server-stream.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { ignoredEvents } from './ignored-events.ts';
import { loadNovncTight } from './novnc-tight.ts';
import { sampleFormats } from './sample-formats.ts';
import { TestViewer } from './test-viewer.ts';

const nativeFormat = readViewerFormat(nativeFormatBytes);
const whole = ({ width, height }: Framebuffer) => ({ x: 0, y: 0, width, height });

/** A picture of boxes and of pixels at random, with at most this many colours. */
function createPicture(width: number, height: number, colours: number, seed: number) {
  const random = createSeededRandom(seed);
  const framebuffer = new Framebuffer(width, height);
  const palette = Array.from({ length: colours }, () => random(0x1_00_00_00));
  const colour = () => palette[random(colours)] ?? 0;
  for (let i = 0; i < 12; i++) {
    const [x, y] = [random(width), random(height)];
    framebuffer.fillRegion(x, y, 1 + random(width - x), 1 + random(height - y), colour());
  }
  for (let i = random(width * height); i > 0; i--)
    framebuffer.pixels[random(framebuffer.pixels.length)] = colour();
  return framebuffer;
}

const picture = fc
  .tuple(
    fc.integer({ min: 1, max: 70 }),
    fc.integer({ min: 1, max: 70 }),
    fc.constantFrom(1, 2, 3, 40),
    fc.nat(),
  )
  .map(([width, height, colours, seed]) => createPicture(width, height, colours, seed));

describe('a rectangle in Hextile', () => {
  test('is decoded to the picture that it was made of, by the decoder for machines', () => {
    fc.assert(
      fc.property(picture, (framebuffer) => {
        let decoded: Framebuffer | undefined;
        const size = { width: framebuffer.width, height: framebuffer.height };
        const decoder = new ScreenDecoder(
          { ...ignoredEvents, onResize: (first) => (decoded = first) },
          { version: 0, size },
        );
        decoder.push(update(encodeHextile(framebuffer, whole(framebuffer), nativeFormat)));
        expect(decoded?.pixels).toEqual(framebuffer.pixels);
      }),
    );
  });

  test('shows the picture in every format of a viewer, and is not larger than Raw but for a byte per tile', async () => {
    const createTight = await loadNovncTight();
    fc.assert(
      fc.property(picture, fc.constantFrom(...sampleFormats), (framebuffer, sample) => {
        const format = readViewerFormat(sample.bytes);
        const bytes = encodeHextile(framebuffer, whole(framebuffer), format);
        const { width, height } = framebuffer;
        const viewer = new TestViewer(createTight);
        viewer.receive([u16(width), u16(height), nativeFormatBytes, u32(0)]);
        viewer.format = sample;
        viewer.receive([update(bytes)]);
        expect(viewer.pixels).toEqual(Array.from(framebuffer.pixels, (pixel) => sample.pixelOf(pixel)));
        const tiles = Math.ceil(width / 16) * Math.ceil(height / 16);
        expect(bytes.length).toBeLessThanOrEqual(
          encodeRaw(framebuffer, whole(framebuffer), format).length + tiles,
        );
      }),
    );
  });

  test('of one colour has four bytes for it and one for each tile', () => {
    const framebuffer = new Framebuffer(64, 64);
    framebuffer.fillRegion(0, 0, 64, 64, 0x12_34_56);
    expect(encodeHextile(framebuffer, whole(framebuffer), nativeFormat)).toHaveLength(12 + 4 + 16);
  });

  test('of text is at most a quarter of Raw', () => {
    const framebuffer = createPicture(64, 64, 1, 1);
    // Strokes of one pixel's width.
    for (let i = 0; i < 64; i += 4) framebuffer.fillRegion(i, (i * 7) % 60, 1, 4, 0xff_ff_ff);
    for (let i = 0; i < 64; i += 8) framebuffer.fillRegion((i * 5) % 60, i, 4, 1, 0xff_ff_ff);
    expect(encodeHextile(framebuffer, whole(framebuffer), nativeFormat).length).toBeLessThan(64 * 64);
  });
});
