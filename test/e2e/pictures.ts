import type { Picture } from '../fakes/guests/ppm.ts';

/** Text is never lossy with the encodings in use; this leaves room for a server that rounds colours. */
const tolerance = 8;

/** The part of the pixels, from 0 to 1, that are the same in both. Pictures of other sizes have none in common. */
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

/** Four bytes a pixel, the last of them unused, become three. */
export function withoutFourth(picture: Picture): Picture {
  const { width, height, data } = picture;
  const rgb = Buffer.alloc(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) data.copy(rgb, pixel * 3, pixel * 4, pixel * 4 + 3);
  return { width, height, data: rgb };
}
