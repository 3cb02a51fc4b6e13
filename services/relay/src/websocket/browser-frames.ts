import { isUtf8 } from 'node:buffer';
import { PortholeError } from '@porthole/shared/errors';
import { maxControlBytes, opcodes } from './frame.ts';

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
  /** Reads on. The chunk is unmasked in place. Throws `viewer_protocol` or `viewer_too_big`, once: it is over then. */
  push(chunk: Buffer): void;
}

/** Where in a frame the next byte belongs. */
type Part = 'first' | 'second' | 'length' | 'mask' | 'payload' | 'over';

/**
 * The server's side of RFC 6455 for what a browser sends: strict, and the same whatever pieces it arrives in.
 * It holds no more than one text message and one control frame; binary payload passes through.
 */
export function createBrowserFrames(handler: BrowserFrameHandler, limits: BrowserFrameLimits): BrowserFrames {
  let part: Part = 'first';
  let final = false;
  let opcode = 0;
  let length = 0;
  /** Bytes of the length, of the mask or of the payload that are still to come. */
  let left = 0;
  const mask = Buffer.alloc(4);
  let maskAt = 0;
  /** The data message that is under way: its opcode, or 0 between messages (section 5.4). */
  let message = 0;
  let messageBytes = 0;
  let fragments = 0;
  let text: Buffer[] = [];
  let control: Buffer[] = [];
  /** Binary payload of this chunk, moved together at its beginning. */
  let gathered = 0;

  function first(byte: number): void {
    final = (byte & 0x80) !== 0;
    opcode = byte & 0x0f;
    // No extension was agreed on, so the reserved bits mean nothing (section 5.2).
    if ((byte & 0x70) !== 0) throw broken('reserved bits');
    if (opcode >= opcodes.close) {
      if (opcode > opcodes.pong) throw broken(`opcode ${opcode}`);
      if (!final) throw broken('a control frame in fragments');
    } else if (opcode === opcodes.continuation) {
      if (message === 0) throw broken('a continuation of nothing');
      if (++fragments > limits.fragments) throw tooBig('a message in too many fragments');
    } else {
      if (opcode > opcodes.binary) throw broken(`opcode ${opcode}`);
      if (message !== 0) throw broken('a message within a message');
      message = opcode;
      messageBytes = 0;
      fragments = 1;
    }
    part = 'second';
  }

  function second(byte: number): void {
    // Section 5.1: a server closes the connection upon a frame that is not masked.
    if ((byte & 0x80) === 0) throw broken('a frame without a mask');
    length = byte & 0x7f;
    if (length <= maxControlBytes) {
      startMask();
      return;
    }
    if (opcode >= opcodes.close) throw broken('a long control frame');
    left = length === 126 ? 2 : 8;
    length = 0;
    part = 'length';
  }

  function lengthByte(byte: number): void {
    length = length * 256 + byte;
    // Before it could grow beyond what a number counts exactly.
    if (length > 2 ** 40) throw tooBig('a frame beyond all limits');
    if (--left === 0) startMask();
  }

  function startMask(): void {
    if (opcode < opcodes.close) {
      messageBytes += length;
      const limit = message === opcodes.text ? limits.textBytes : limits.binaryBytes;
      if (messageBytes > limit) throw tooBig(`a message of ${messageBytes} bytes`);
    }
    left = 4;
    part = 'mask';
  }

  function maskByte(byte: number, chunk: Buffer): void {
    mask[4 - left] = byte;
    if (--left > 0) return;
    left = length;
    maskAt = 0;
    part = 'payload';
    if (left === 0) frameOver(chunk);
  }

  function payload(chunk: Buffer, start: number, end: number): void {
    const binary = opcode < opcodes.close && message === opcodes.binary;
    // Never overtakes what is still to be read: a header lies between two payloads.
    const shift = binary ? start - gathered : 0;
    for (let at = start; at < end; at++) chunk[at - shift] = (chunk[at] ?? 0) ^ (mask[maskAt++ & 3] ?? 0);
    left -= end - start;
    if (binary) gathered += end - start;
    else (opcode >= opcodes.close ? control : text).push(Buffer.from(chunk.subarray(start, end)));
    if (left === 0) frameOver(chunk);
  }

  /** Hands on what came before anything else is said: the order of messages is the browser's. */
  function handOn(chunk: Buffer): void {
    const end = gathered;
    gathered = 0;
    if (end > 0) handler.binary(chunk, 0, end);
  }

  function frameOver(chunk: Buffer): void {
    part = 'first';
    if (opcode >= opcodes.close) {
      const whole = Buffer.concat(control);
      control = [];
      if (opcode === opcodes.ping) handler.ping(whole);
      else if (opcode === opcodes.pong) handler.pong();
      else closed(whole, chunk);
      return;
    }
    if (!final) return;
    const wasText = message === opcodes.text;
    message = 0;
    if (!wasText) return;
    const whole = Buffer.concat(text);
    text = [];
    if (!isUtf8(whole)) throw broken('a text that is not UTF-8');
    handOn(chunk);
    handler.text(whole.toString('utf8'));
  }

  function closed(body: Buffer, chunk: Buffer): void {
    part = 'over';
    if (body.length === 1) throw broken('a close with half a code');
    const code = body.length === 0 ? undefined : body.readUInt16BE(0);
    if (code !== undefined && !mayBeSent(code)) throw broken(`close code ${code}`);
    if (!isUtf8(body.subarray(2))) throw broken('a close reason that is not UTF-8');
    handOn(chunk);
    handler.close(code);
  }

  function read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      switch (part) {
        case 'first':
          first(chunk[at++] ?? 0);
          break;
        case 'second':
          second(chunk[at++] ?? 0);
          break;
        case 'length':
          lengthByte(chunk[at++] ?? 0);
          break;
        case 'mask':
          maskByte(chunk[at++] ?? 0, chunk);
          break;
        case 'payload': {
          const end = Math.min(chunk.length, at + left);
          payload(chunk, at, end);
          at = end;
          break;
        }
        case 'over':
          return;
      }
    }
  }

  return {
    push(chunk) {
      try {
        read(chunk);
      } catch (error) {
        part = 'over';
        throw error;
      } finally {
        // What came before a fault counts, so that the pieces it arrived in make no difference.
        handOn(chunk);
      }
    },
  };
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
  return new PortholeError('viewer_too_big', { detail: `the viewer sent ${detail}` });
}
