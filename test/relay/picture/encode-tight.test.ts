import { encodeTight } from '@porthole/relay/picture/encode-tight';
import { Framebuffer, tileSize } from '@porthole/relay/picture/framebuffer';
import { createSeededRandom } from '../seeded-random.ts';
import { createNovncTight } from './novnc-tight.ts';

/** A picture whose pixels have this many colours at random. */
function createPicture(width: number, height: number, colours: number, seed = 1) {
  const random = createSeededRandom(seed);
  const framebuffer = new Framebuffer(width, height);
  const palette = Array.from({ length: colours }, () => random(0x1_00_00_00));
  for (let i = 0; i < framebuffer.pixels.length; i++) framebuffer.pixels[i] = palette[random(colours)] ?? 0;
  return framebuffer;
}

const whole = ({ width, height }: Framebuffer) => ({ x: 0, y: 0, width, height });

describe('a rectangle in Tight', () => {
  test.each([1, 2, 3, 16, 17, 200])(
    'shows in noVNC what the picture has, with %d colours',
    async (colours) => {
      for (const [width, height] of [
        [1, 1],
        [3, 1],
        [9, 7],
        [64, 64],
        [65, 64],
      ] as const) {
        const framebuffer = createPicture(width, height, colours);
        const viewer = await createNovncTight(width, height);
        viewer.draw(encodeTight(framebuffer, whole(framebuffer)));
        expect(viewer.pixels).toEqual(framebuffer.pixels);
      }
    },
  );

  test('does not depend on what was sent before: tiles in any order show the same picture', async () => {
    const framebuffer = createPicture(200, 130, 40);
    // Tiles of one, two and many colours.
    framebuffer.fillRegion(0, 0, 64, 64, 0x12_34_56);
    framebuffer.fillRegion(64, 0, 64, 64, 0x65_43_21);
    framebuffer.fillRegion(70, 3, 9, 9, 0xff_ff_ff);
    const viewer = await createNovncTight(200, 130);
    const tiles = Array.from(framebuffer.tileVersions.keys(), (index) =>
      encodeTight(framebuffer, framebuffer.tileRegion(index)),
    );
    for (const tile of [...tiles.toReversed(), ...tiles, ...tiles.slice(2, 5)]) viewer.draw(tile);
    expect(viewer.pixels).toEqual(framebuffer.pixels);
  });

  test('of one colour has 16 bytes, whatever its size', () => {
    const framebuffer = createPicture(tileSize, tileSize, 1);
    expect(encodeTight(framebuffer, whole(framebuffer))).toHaveLength(16);
  });

  test('of two colours is smaller than of three, and that smaller than of many', () => {
    const sizes = [2, 3, 200].map((colours) => {
      const framebuffer = createPicture(tileSize, tileSize, colours);
      return encodeTight(framebuffer, whole(framebuffer)).length;
    });
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  });
});
