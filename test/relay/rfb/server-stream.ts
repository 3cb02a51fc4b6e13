import { clipboardActions } from '@porthole/relay/rfb/clipboard-policy';
import { u16, u32 } from './bytes.ts';

/** A message of a VNC server: clipboard text, clipboard actions that carry no text, or any other message. */
export interface ServerMessage {
  readonly bytes: Buffer;
  readonly kind: 'other' | 'text' | 'actions';
}

/** The 16 bytes of RFC 6143 section 7.4. */
export function pixelFormatBytes(format: {
  readonly bits: number;
  readonly depth?: number;
  readonly trueColour?: boolean;
  readonly max?: readonly [number, number, number];
}): Buffer {
  const { bits, depth = 24, trueColour = true, max = [255, 255, 255] } = format;
  return Buffer.concat([
    Buffer.of(bits, depth, 0, trueColour ? 1 : 0),
    ...max.map(u16),
    Buffer.of(16, 8, 0, 0, 0, 0),
  ]);
}

export function serverInit(format: Buffer, name = 'QEMU (lab-100)'): Buffer {
  return Buffer.concat([u16(800), u16(600), format, u32(name.length), Buffer.from(name)]);
}

export function rectangle(width: number, height: number, encoding: number, ...body: Buffer[]): Buffer {
  return Buffer.concat([u16(3), u16(4), u16(width), u16(height), u32(encoding), ...body]);
}

export function update(...rectangles: Buffer[]): Buffer {
  return Buffer.concat([Buffer.of(0, 0), u16(rectangles.length), ...rectangles]);
}

/** Tight's length field of one to three bytes. */
export function compactLength(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  if (length < 0x4000) return Buffer.of((length & 0x7f) | 0x80, length >> 7);
  return Buffer.of((length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14);
}

export const cutText = (text: Buffer): ServerMessage => ({
  bytes: Buffer.concat([Buffer.of(3, 0, 0, 0), u32(text.length), text]),
  kind: 'text',
});

/** A message of the extended clipboard. */
export function extendedCutText(flags: number, body: Buffer = Buffer.alloc(0)): ServerMessage {
  const { caps, notify, provide } = clipboardActions;
  const announcesText = (flags & (notify | provide)) !== 0;
  return {
    bytes: Buffer.concat([Buffer.of(3, 0, 0, 0), u32(-4 - body.length), u32(flags), body]),
    kind: (flags & caps) !== 0 || !announcesText ? 'actions' : 'text',
  };
}
