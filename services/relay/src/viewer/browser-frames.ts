import { isUtf8 } from 'node:buffer';
import { PortholeError } from '@porthole/shared/errors';
import { maxControlBytes, opcodes } from '../stream/websocket-frame.ts';

/** What a browser said, unmasked. */
export interface BrowserFrameHandler {
  /**
   * What has arrived of binary messages: one piece for each chunk, however many frames it held, so a browser that
   * sends byte by byte costs us no more calls than one that does not. Borders mean nothing. The memory is lent for
   * the call.
   */
  binary(source: Buffer, start: number, end: number): void;
  /** A whole text message. */
  text(text: string): void;
  ping(payload: Buffer): void;
  pong(): void;
  /** Its goodbye, with its code if it gave one. Nothing is read after it (RFC 6455 section 1.4). */
  close(code: number | undefined): void;
}

export interface BrowserFrameLimits {
  readonly binaryBytes: number;
  readonly textBytes: number;
  /** Frames that one message may come in. Browsers send one, or a few when a message is very long. */
  readonly fragments: number;
}

export interface BrowserFrames {
  /** Reads on. The chunk is unmasked in place. Throws `viewer_protocol` or `viewer_message_too_big`, once: it is over then. */
  push(chunk: Buffer): void;
}

/** Where in a frame the next byte belongs. */
const parts = { first: 0, second: 1, length: 2, mask: 3, payload: 4, over: 5 } as const;

/** Most sessions say nothing for most of the time: what is empty is shared. */
const nothing: Buffer[] = [];

/**
 * The server's side of RFC 6455 for what a browser sends: strict, and the same whatever pieces it arrives in.
 * It holds no more than one text message and one control frame; binary payload passes through.
 */
export function createBrowserFrames(handler: BrowserFrameHandler, limits: BrowserFrameLimits): BrowserFrames {
  return new FrameReader(handler, limits);
}

/** A class, as there are thousands: one object each, and no function of its own. */
class FrameReader implements BrowserFrames {
  readonly #handler: BrowserFrameHandler;
  readonly #limits: BrowserFrameLimits;
  #part: number = parts.first;
  #final = false;
  #opcode = 0;
  #length = 0;
  /** Bytes of the length, of the mask or of the payload that are still to come. */
  #left = 0;
  /** The mask as a number, its first byte on top. */
  #mask = 0;
  #maskAt = 0;
  /** The data message that is under way: its opcode, or 0 between messages (section 5.4). */
  #message = 0;
  #messageBytes = 0;
  #fragments = 0;
  #text = nothing;
  #control = nothing;
  /** Binary payload of this chunk, moved together at its beginning. */
  #gathered = 0;

  constructor(handler: BrowserFrameHandler, limits: BrowserFrameLimits) {
    this.#handler = handler;
    this.#limits = limits;
  }

  push(chunk: Buffer): void {
    try {
      this.#read(chunk);
    } catch (error) {
      this.#part = parts.over;
      throw error;
    } finally {
      // What came before a fault counts, so that the pieces it arrived in make no difference.
      this.#handOn(chunk);
    }
  }

  #read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      switch (this.#part) {
        case parts.first:
          this.#first(chunk[at++] ?? 0);
          break;
        case parts.second:
          this.#second(chunk[at++] ?? 0);
          break;
        case parts.length:
          this.#lengthByte(chunk[at++] ?? 0);
          break;
        case parts.mask:
          this.#maskByte(chunk[at++] ?? 0, chunk);
          break;
        case parts.payload: {
          const end = Math.min(chunk.length, at + this.#left);
          this.#payload(chunk, at, end);
          at = end;
          break;
        }
        default:
          return;
      }
    }
  }

  #first(byte: number): void {
    this.#final = (byte & 0x80) !== 0;
    this.#opcode = byte & 0x0f;
    // No extension was agreed on, so the reserved bits mean nothing (section 5.2).
    if ((byte & 0x70) !== 0) throw broken('reserved bits');
    if (this.#opcode >= opcodes.close) {
      if (this.#opcode > opcodes.pong) throw broken(`opcode ${this.#opcode}`);
      if (!this.#final) throw broken('a control frame in fragments');
    } else if (this.#opcode === opcodes.continuation) {
      if (this.#message === 0) throw broken('a continuation of nothing');
      if (++this.#fragments > this.#limits.fragments) throw tooBig('a message in too many fragments');
    } else {
      if (this.#opcode > opcodes.binary) throw broken(`opcode ${this.#opcode}`);
      if (this.#message !== 0) throw broken('a message within a message');
      this.#message = this.#opcode;
      this.#messageBytes = 0;
      this.#fragments = 1;
    }
    this.#part = parts.second;
  }

  #second(byte: number): void {
    // Section 5.1: a server closes the connection upon a frame that is not masked.
    if ((byte & 0x80) === 0) throw broken('a frame without a mask');
    this.#length = byte & 0x7f;
    if (this.#length <= maxControlBytes) {
      this.#startMask();
      return;
    }
    if (this.#opcode >= opcodes.close) throw broken('a long control frame');
    this.#left = this.#length === 126 ? 2 : 8;
    this.#length = 0;
    this.#part = parts.length;
  }

  #lengthByte(byte: number): void {
    this.#length = this.#length * 256 + byte;
    // Before it could grow beyond what a number counts exactly.
    if (this.#length > 2 ** 40) throw tooBig('a frame beyond all limits');
    if (--this.#left === 0) this.#startMask();
  }

  #startMask(): void {
    if (this.#opcode < opcodes.close) {
      this.#messageBytes += this.#length;
      const limit = this.#message === opcodes.text ? this.#limits.textBytes : this.#limits.binaryBytes;
      if (this.#messageBytes > limit) throw tooBig(`a message of ${this.#messageBytes} bytes`);
    }
    this.#left = 4;
    this.#part = parts.mask;
  }

  #maskByte(byte: number, chunk: Buffer): void {
    this.#mask = (this.#mask << 8) | byte;
    if (--this.#left > 0) return;
    this.#left = this.#length;
    this.#maskAt = 0;
    this.#part = parts.payload;
    if (this.#left === 0) this.#frameOver(chunk);
  }

  #payload(chunk: Buffer, start: number, end: number): void {
    const binary = this.#opcode < opcodes.close && this.#message === opcodes.binary;
    // Never overtakes what is still to be read: a header lies between two payloads.
    const shift = binary ? start - this.#gathered : 0;
    const mask = this.#mask;
    let maskAt = this.#maskAt;
    for (let at = start; at < end; at++)
      chunk[at - shift] = (chunk[at] ?? 0) ^ (mask >>> (24 - 8 * (maskAt++ & 3)));
    this.#maskAt = maskAt & 3;
    this.#left -= end - start;
    if (binary) this.#gathered += end - start;
    else this.#keep(Buffer.from(chunk.subarray(start, end)));
    if (this.#left === 0) this.#frameOver(chunk);
  }

  #keep(piece: Buffer): void {
    if (this.#opcode >= opcodes.close) this.#control = [...this.#control, piece];
    else if (this.#text === nothing) this.#text = [piece];
    else this.#text.push(piece);
  }

  /** Hands on what came before anything else is said: the order of messages is the browser's. */
  #handOn(chunk: Buffer): void {
    const end = this.#gathered;
    this.#gathered = 0;
    if (end > 0) this.#handler.binary(chunk, 0, end);
  }

  #frameOver(chunk: Buffer): void {
    this.#part = parts.first;
    if (this.#opcode >= opcodes.close) {
      const whole = Buffer.concat(this.#control);
      this.#control = nothing;
      if (this.#opcode === opcodes.ping) this.#handler.ping(whole);
      else if (this.#opcode === opcodes.pong) this.#handler.pong();
      else this.#closed(whole, chunk);
      return;
    }
    if (!this.#final) return;
    const wasText = this.#message === opcodes.text;
    this.#message = 0;
    if (!wasText) return;
    const whole = Buffer.concat(this.#text);
    this.#text = nothing;
    if (!isUtf8(whole)) throw broken('a text that is not UTF-8');
    this.#handOn(chunk);
    this.#handler.text(whole.toString('utf8'));
  }

  #closed(body: Buffer, chunk: Buffer): void {
    this.#part = parts.over;
    if (body.length === 1) throw broken('a close with half a code');
    const code = body.length === 0 ? undefined : body.readUInt16BE(0);
    if (code !== undefined && !mayBeSent(code)) throw broken(`close code ${code}`);
    if (!isUtf8(body.subarray(2))) throw broken('a close reason that is not UTF-8');
    this.#handOn(chunk);
    this.#handler.close(code);
  }
}

/** Section 7.4: what an endpoint may put into a close frame. */
function mayBeSent(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}

function broken(detail: string): PortholeError {
  return new PortholeError('viewer_protocol', { detail: `the viewer sent ${detail}` });
}

function tooBig(detail: string): PortholeError {
  return new PortholeError('viewer_message_too_big', { detail: `the viewer sent ${detail}` });
}
