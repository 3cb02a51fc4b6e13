import type { Picture } from '../fakes/guests/ppm.ts';

/** The encodings in use are lossless for text, but a server can round colours. */
const tolerance = 8;

/** The share of pixels, from 0 to 1, that are equal in both. Pictures of different sizes have none. */
export function likeness(one: Picture, other: Picture): number {
  if (one.width !== other.width || one.height !== other.height) return 0;
  const pixels = one.width * one.height;
  let same = 0;
  for (let at = 0; at < pixels * 3; at += 3) {
    if (
      Math.abs((one.data[at] ?? 0) - (other.data[at] ?? 0)) <= tolerance &&
      Math.abs((one.data[at + 1] ?? 0) - (other.data[at + 1] ?? 0)) <= tolerance &&
      Math.abs((one.data[at + 2] ?? 0) - (other.data[at + 2] ?? 0)) <= tolerance
    )
      same++;
  }
  return same / pixels;
}

/** 0xrrggbb */
export function colourAt({ width, data }: Picture, x: number, y: number): number {
  return data.readUIntBE((y * width + x) * 3, 3);
}

/** Converts four bytes per pixel, the last of them unused, to three. */
export function withoutFourth(picture: Picture): Picture {
  const { width, height, data } = picture;
  const rgb = Buffer.alloc(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) data.copy(rgb, pixel * 3, pixel * 4, pixel * 4 + 3);
  return { width, height, data: rgb };
}
