import type { Sharp } from 'sharp';
import type { EncodeJpeg } from './encoded-tiles.ts';

/** From this quality on, users look for exact colours: full resolution for them too. */
const fullColourQuality = 90;

let loading:
  Promise<(pixels: Buffer, size: { readonly width: number; readonly height: number }) => Sharp> | undefined;

/**
 * Encodes JPEG with libvips, in threads of its own. It takes 20 MiB of memory, so it is loaded with the first
 * photographic tile.
 */
export const encodeJpeg: EncodeJpeg = async (pixels, size, quality) => {
  loading ??= load();
  const image = (await loading)(pixels, size);
  return image
    .jpeg({ quality, chromaSubsampling: quality >= fullColourQuality ? '4:4:4' : '4:2:0' })
    .toBuffer();
};

async function load() {
  const { default: sharp } = await import('sharp');
  // Tiles are small, and no two are the same.
  sharp.concurrency(1);
  sharp.cache(false);
  return (pixels: Buffer, { width, height }: { readonly width: number; readonly height: number }) =>
    sharp(pixels, { raw: { width, height, channels: 3 } });
}
