import { createFramebuffer, rgb, type Framebuffer } from '../guests/framebuffer.ts';
import { createZrleEncoder } from '../guests/encode-zrle.ts';
import type { Rect } from '../guests/damage.ts';
import type { PixelFormat } from '../guests/pixel-format.ts';
import { writePixelFormat } from '../guests/pixel-format.ts';
import { bgr888 } from '../guests/pixel-format.ts';
import type { Picture } from '../guests/ppm.ts';
import type { PartWriter } from '@porthole/shared/recording/write/part-writer';

/** The format that noVNC sets. */
export const novncFormat: PixelFormat = { ...bgr888, redShift: 0, blueShift: 16 };

/**
 * A machine's screen whose RFB messages go into a recording, as from a console that is passed through: one zlib stream
 * from the first byte (ZRLE), so a player cannot begin in the middle.
 */
export interface ScreenScript {
  readonly framebuffer: Framebuffer;
  /** Sends what was painted since the last update. */
  update(): void;
  /** Writes text at a place, in cells of 8x16 pixels. */
  text(column: number, row: number, text: string): void;
  picture(): Picture;
}

export function startScreen(writer: PartWriter, width = 640, height = 400): ScreenScript {
  const framebuffer = createFramebuffer(width, height);
  const zrle = createZrleEncoder();
  let damaged: Rect[] = [];
  framebuffer.onDamage((rect) => damaged.push(rect));
  writer.record({ type: 'init', bytes: serverInit(width, height) });
  writer.record({ type: 'format', bytes: writePixelFormat(novncFormat) });
  return {
    framebuffer,
    update() {
      if (damaged.length === 0) return;
      const rect = damaged.reduce(union);
      damaged = [];
      writer.screen(
        Buffer.concat([updateHeader(1), rectHeader(rect, 16), zrle(framebuffer, rect, novncFormat)]),
      );
    },
    text: (column, row, text) => writeText(framebuffer, column, row, text),
    picture: () => pictureOf(framebuffer),
  };
}

/** What a framebuffer shows. */
export function pictureOf({ width, height, pixels }: Framebuffer): Picture {
  const data = Buffer.alloc(width * height * 3);
  for (const [index, pixel] of pixels.entries()) {
    data[index * 3] = pixel & 0xff;
    data[index * 3 + 1] = (pixel >> 8) & 0xff;
    data[index * 3 + 2] = (pixel >> 16) & 0xff;
  }
  return { width, height, data };
}

export function writeText(framebuffer: Framebuffer, column: number, row: number, text: string): void {
  for (const [index, character] of text.split('').entries())
    framebuffer.cell(
      (column + index) * 8,
      row * 16,
      character.charCodeAt(0),
      'regular',
      rgb(0xe8f0f0),
      rgb(0x101820),
    );
}

function serverInit(width: number, height: number): Buffer {
  const name = Buffer.from('lab-anna');
  const size = Buffer.alloc(4);
  size.writeUInt16BE(width, 0);
  size.writeUInt16BE(height, 2);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return Buffer.concat([size, writePixelFormat(bgr888), length, name]);
}

const updateHeader = (rectangles: number) => Buffer.from([0, 0, 0, rectangles]);

function rectHeader({ x, y, width, height }: Rect, encoding: number): Buffer {
  const bytes = Buffer.alloc(12);
  for (const [index, value] of [x, y, width, height].entries()) bytes.writeUInt16BE(value, index * 2);
  bytes.writeInt32BE(encoding, 8);
  return bytes;
}

function union(a: Rect, b: Rect): Rect {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}
