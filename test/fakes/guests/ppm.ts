export interface Picture {
  width: number;
  height: number;
  /** Three bytes per pixel: red, green, blue. */
  data: Buffer;
}

/** Reads a PPM file as QEMU writes it: P6, 8 bits per colour. */
export function parsePpm(file: Buffer): Picture {
  const head = /^P6\s+(?:#.*\s+)*(\d+)\s+(\d+)\s+255\s/.exec(file.subarray(0, 100).toString('latin1'));
  if (!head) throw new Error('not a P6 picture with 8 bits per colour');
  const [all, width, height] = head;
  return { width: Number(width), height: Number(height), data: file.subarray(all.length) };
}
