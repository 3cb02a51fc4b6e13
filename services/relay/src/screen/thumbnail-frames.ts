import { PortholeError } from '@porthole/shared/errors';

/** Bytes before the image: width and height (u16), and the format (u8), big endian. The page gets the same. */
export const thumbnailHeaderBytes = 5;
export const jpegFormat = 1;
/** Bytes before that: the length of what follows (u32). */
const lengthBytes = 4;
/** A thumbnail that cannot be compressed has less. */
const maxThumbnailBytes = 1024 * 1024;

/** What a consumer sends to a screen to get the next thumbnail: one byte, whatever it is. */
export const thumbnailRequest = Buffer.of(1);

/** A thumbnail as a screen sends it to its consumer, who may be at another relay. */
export function encodeThumbnail(thumbnail: {
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}): Buffer {
  const { width, height, bytes } = thumbnail;
  const start = lengthBytes + thumbnailHeaderBytes;
  const frame = Buffer.allocUnsafeSlow(start + bytes.length);
  frame.writeUInt32BE(thumbnailHeaderBytes + bytes.length, 0);
  frame.writeUInt16BE(width, 4);
  frame.writeUInt16BE(height, 6);
  frame[8] = jpegFormat;
  frame.set(bytes, start);
  return frame;
}

/**
 * Reads the thumbnails of one screen from a link. `onThumbnail` gets memory of its own: the header and the image. The
 * returned function throws `proxmox_invalid_response` if a thumbnail is too long or too short.
 */
export function createThumbnailReader(
  onThumbnail: (thumbnail: Buffer) => void,
): (source: Buffer, start: number, end: number) => void {
  const length = Buffer.alloc(lengthBytes);
  let lengthRead = 0;
  let body: Buffer | undefined;
  let bodyRead = 0;
  return (source, start, end) => {
    let at = start;
    while (at < end) {
      if (!body) {
        length[lengthRead++] = source[at++] ?? 0;
        if (lengthRead < lengthBytes) continue;
        const bytes = length.readUInt32BE(0);
        if (bytes <= thumbnailHeaderBytes || bytes > maxThumbnailBytes)
          throw new PortholeError('proxmox_invalid_response', { detail: `a thumbnail of ${bytes} bytes` });
        body = Buffer.allocUnsafeSlow(bytes);
        bodyRead = 0;
        lengthRead = 0;
      }
      const count = Math.min(end - at, body.length - bodyRead);
      source.copy(body, bodyRead, at, at + count);
      at += count;
      bodyRead += count;
      if (bodyRead < body.length) return;
      const complete = body;
      body = undefined;
      onThumbnail(complete);
    }
  };
}
