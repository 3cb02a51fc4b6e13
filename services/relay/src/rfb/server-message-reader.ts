import { PortholeError } from '@porthole/shared/errors';
import { encodings } from './encodings.ts';
import { readPixelFormat, type PixelFormat } from './pixel-format.ts';

/**
 * The fat direction, message by message: what a VNC server sends behind the handshake, from ServerInit on (RFC 6143
 * section 7.3.2 and 7.6, and rfbproto for the extensions). Only for sessions whose machine must not give its
 * clipboard away; all others are passed on unread.
 *
 * It keeps a few bytes of a header and counts the rest, so nothing grows with what is sent. It follows the encodings
 * of encodings.ts, and ends the session at anything else: behind that no border can be found any more.
 */
export interface ServerMessageReader {
  /**
   * Reads on and hands over what may pass, in order: ranges of the source as far as possible. Throws
   * `proxmox_invalid_response`; what came before the fault was handed over.
   */
  read(source: Buffer, start: number, end: number, pass: ForwardRange): void;
}

export type ForwardRange = (source: Buffer, start: number, end: number) => void;

const serverMessages = {
  framebufferUpdate: 0,
  setColourMapEntries: 1,
  bell: 2,
  serverCutText: 3,
  endOfContinuousUpdates: 150,
  fence: 248,
  xvp: 250,
} as const;

/** Tight sends what is shorter uncompressed and without its length. */
const tightMinBytes = 12;
/** Flags and sixteen sizes: longer clipboard messages have text in them. */
const maxWordsBytes = 4 + 16 * 4;

export function createServerMessageReader(options: {
  /** The format that the viewer has set, if it has; otherwise the server's own holds. */
  readonly pixelFormat: () => PixelFormat | undefined;
  /** Told the server's own pixel format. */
  readonly onServerInit?: (format: PixelFormat | undefined) => void;
  /** Whether a message of the extended clipboard passes, by its flags and length. Plain text never does. */
  readonly allowsClipboardMessage: (flags: number, bytes: number) => boolean;
  /** Told of each rectangle that has pixels. */
  readonly onPixels?: () => void;
}): ServerMessageReader {
  const head = Buffer.alloc(24);
  let have = 0;
  let need = 0;
  let skip = 0;
  let next = (): void => {};
  let rects = 0;
  let own: PixelFormat | undefined;
  /** A clipboard message is held back until it is known whether it passes. */
  let held: Buffer | undefined;
  let passing = true;

  function gather(bytes: number, then: () => void): void {
    need = bytes;
    have = 0;
    next = then;
  }

  function pass(bytes: number, then: () => void): void {
    if (bytes === 0) then();
    else {
      skip = bytes;
      next = then;
    }
  }

  const u16 = (at: number) => head.readUInt16BE(at);
  const u32 = (at: number) => head.readUInt32BE(at);

  function serverInit(): void {
    own = readPixelFormat(head, 4);
    options.onServerInit?.(own);
    pass(u32(20), message);
  }

  function message(): void {
    passing = true;
    gather(1, messageType);
  }

  function messageType(): void {
    switch (head[0]) {
      case serverMessages.framebufferUpdate:
        return gather(3, () => {
          rects = u16(1);
          nextRect();
        });
      case serverMessages.setColourMapEntries:
        return gather(5, () => pass(6 * u16(3), message));
      case serverMessages.bell:
      case serverMessages.endOfContinuousUpdates:
        return message();
      case serverMessages.serverCutText:
        passing = false;
        return gather(7, cutText);
      case serverMessages.fence:
        return gather(8, () => pass(head[7] ?? 0, message));
      case serverMessages.xvp:
        return gather(3, message);
      default:
        throw lost(`message type ${head[0]}`);
    }
  }

  function cutText(): void {
    // A negative length marks the extended clipboard; its body has as many bytes without the sign.
    const length = head.readInt32BE(3);
    const bytes = Math.abs(length);
    if (length >= 0 || bytes < 4 || bytes > maxWordsBytes) return pass(bytes, message);
    const beginning = Buffer.concat([Buffer.of(serverMessages.serverCutText), head.subarray(0, 7)]);
    gather(4, () => {
      if (options.allowsClipboardMessage(head.readInt32BE(0), bytes)) {
        held = Buffer.concat([beginning, head.subarray(0, 4)]);
        passing = true;
      }
      pass(bytes - 4, message);
    });
  }

  function nextRect(): void {
    if (rects === 0) return message();
    rects--;
    gather(12, rect);
  }

  function rect(): void {
    const width = u16(4);
    const height = u16(6);
    const encoding = head.readInt32BE(8);
    switch (encoding) {
      case encodings.raw:
        options.onPixels?.();
        return pass(width * height * format().bytesPerPixel, nextRect);
      case encodings.copyRect:
        options.onPixels?.();
        return pass(4, nextRect);
      case encodings.zlib:
      case encodings.zrle:
        options.onPixels?.();
        return gather(4, () => pass(u32(0), nextRect));
      case encodings.tight:
      case encodings.tightPng:
        options.onPixels?.();
        return gather(1, () => tight(encoding, width, height));
      case encodings.cursor:
        return pass(width * height * format().bytesPerPixel + Math.ceil(width / 8) * height, nextRect);
      case encodings.extendedDesktopSize:
        return gather(4, () => pass(16 * (head[0] ?? 0), nextRect));
      case encodings.desktopName:
        return gather(4, () => pass(u32(0), nextRect));
      case encodings.qemuLedState:
        return pass(1, nextRect);
      case encodings.lastRect:
        return message();
      case encodings.desktopSize:
      case encodings.qemuExtendedKey:
      case encodings.extendedMouseButtons:
        return nextRect();
      default:
        throw lost(`encoding ${encoding}`);
    }
  }

  function tight(encoding: number, width: number, height: number): void {
    const control = (head[0] ?? 0) >> 4;
    const png = encoding === encodings.tightPng;
    if (control === 0x8) return pass(tightBytes(), nextRect);
    if (control === 0x9 || (control === 0xa && png)) return compactLength(nextRect);
    if (control >= 0x8 || png) throw lost(`Tight compression ${control}`);
    const copied = () => tightData(width * height * tightBytes());
    if ((control & 0x4) === 0) return copied();
    gather(1, () => {
      const filter = head[0] ?? 0;
      if (filter === 1) gather(1, () => palette((head[0] ?? 0) + 1, width, height));
      else if (filter === 0 || filter === 2) copied();
      else throw lost(`Tight filter ${filter}`);
    });
  }

  function palette(colours: number, width: number, height: number): void {
    const bytesPerRow = colours <= 2 ? Math.ceil(width / 8) : width;
    pass(colours * tightBytes(), () => tightData(bytesPerRow * height));
  }

  function tightData(bytes: number): void {
    if (bytes < tightMinBytes) pass(bytes, nextRect);
    else compactLength(nextRect);
  }

  /** One to three bytes, seven bits each, but for eight in the third. */
  function compactLength(then: () => void, known = 0, byte = 0): void {
    gather(1, () => {
      const value = head[0] ?? 0;
      const more = byte < 2 && value >= 0x80;
      const length = known + ((byte < 2 ? value & 0x7f : value) << (7 * byte));
      if (more) compactLength(then, length, byte + 1);
      else pass(length, then);
    });
  }

  function format(): PixelFormat {
    const known = options.pixelFormat() ?? own;
    if (!known) throw lost('pixels in a format of its own');
    return known;
  }

  function tightBytes(): number {
    const known = format().bytesPerTightPixel;
    if (known === undefined) throw lost('Tight in an unclear pixel format');
    return known;
  }

  gather(24, serverInit);

  return {
    read(source, start, end, give) {
      let from = start;
      let at = start;
      /** Everything before `to` has been decided about. */
      const giveUpTo = (to: number, wasPassing: boolean) => {
        if (wasPassing && to > from) give(source, from, to);
        from = to;
      };
      while (at < end) {
        const wasPassing = passing;
        if (skip > 0) {
          const bytes = Math.min(skip, end - at);
          at += bytes;
          skip -= bytes;
          if (skip > 0) break;
        } else {
          const bytes = Math.min(need - have, end - at);
          source.copy(head, have, at, at + bytes);
          at += bytes;
          have += bytes;
          if (have < need) break;
        }
        try {
          next();
        } catch (error) {
          giveUpTo(at - 1, wasPassing);
          throw error;
        }
        if (passing === wasPassing) continue;
        // The first byte of a clipboard message is held back with the rest of it.
        giveUpTo(passing ? at : at - 1, wasPassing);
        from = at;
        if (held) give(held, 0, held.length);
        held = undefined;
      }
      giveUpTo(end, passing);
    },
  };
}

function lost(what: string): PortholeError {
  return new PortholeError('proxmox_invalid_response', { detail: `the VNC server sent ${what}` });
}
