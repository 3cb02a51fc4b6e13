import { PortholeError } from '@porthole/shared/errors';
import type { MessageFilter } from '../stream/message-filter.ts';

/** Shared, because thousands of sessions hold one for as long as they live. */
const empty = Buffer.alloc(0);

export const terminalLimits = {
  /** Longest input message: one paste, as long as a clipboard text of a screen. */
  dataBytes: 1024 * 1024,
  /** Most columns, and most rows. */
  size: 1000,
} as const;

/** Keeps a terminal connection alive. termproxy drops it. */
export const terminalPing = Buffer.from('2');

type Header =
  | { readonly type: 'data'; readonly headerBytes: number; readonly dataBytes: number }
  | { readonly type: 'size'; readonly headerBytes: number; readonly columns: number; readonly rows: number }
  | { readonly type: 'ping'; readonly headerBytes: number };

/** "0:1048576:" has ten bytes, "1:1000:1000:" has twelve. */
const maxHeaderBytes = 12;

/**
 * Filters the messages of a terminal's viewer, however they are split into frames. They are those of Proxmox's own
 * terminal page (pve-xtermjs main.js): `0:LENGTH:data` for input, `1:COLUMNS:ROWS:` for the size, and `2` as a ping.
 *
 * Messages are validated and written anew, because termproxy takes each read for complete messages (termproxy main.rs):
 * it loses a header that is split, and reads the input behind it as messages. So each header is forwarded complete, and
 * consecutive input gets one common header, which makes a split at the end of termproxy's buffer of 4096 bytes rare.
 */
export function createTerminalMessageFilter(options: {
  /** Drops input and sizes. */
  readonly viewOnly: boolean;
  /** Called for input, also when the session is view-only. */
  readonly onHumanInput: () => void;
}): MessageFilter {
  const { viewOnly, onHumanInput } = options;
  /** The start of a header that is incomplete. */
  let pending: Buffer = empty;
  /** Bytes of the current input message that are still to come. */
  let dataBytesLeft = 0;

  function takeData(bytes: Buffer): Buffer {
    const data = bytes.subarray(0, dataBytesLeft);
    dataBytesLeft -= data.length;
    return data;
  }

  return {
    get atMessageBoundary() {
      return dataBytesLeft === 0;
    },
    push(chunk, forwarded = []) {
      const input = new InputMerger(viewOnly ? [] : forwarded);
      const continued = takeData(chunk);
      if (continued.length > 0 && !viewOnly) forwarded.push(continued);
      let unread = chunk.subarray(continued.length);
      if (unread.length > 0 && pending.length > 0) {
        unread = Buffer.concat([pending, unread]);
        pending = empty;
      }
      try {
        while (unread.length > 0) {
          const header = readHeader(unread);
          if (!header) {
            pending = Buffer.from(unread); // A copy, because the socket reuses the chunk's memory.
            break;
          }
          unread = unread.subarray(header.headerBytes);
          if (header.type === 'data') {
            if (header.dataBytes > 0) onHumanInput();
            dataBytesLeft = header.dataBytes;
            const data = takeData(unread);
            input.add(data, header.dataBytes);
            unread = unread.subarray(data.length);
          } else if (header.type === 'size') {
            input.flush();
            if (!viewOnly) forwarded.push(Buffer.from(`1:${header.columns}:${header.rows}:`));
          }
        }
      } finally {
        // Also before a fault, so that the result does not depend on the chunks.
        input.flush();
      }
      return forwarded;
    },
  };
}

/** Collects consecutive input messages and forwards them with one header. */
class InputMerger {
  readonly #forwarded: Buffer[];
  #pieces: Buffer[] = [];
  #dataBytes = 0;

  constructor(forwarded: Buffer[]) {
    this.#forwarded = forwarded;
  }

  /** Adds a message of `dataBytes`, of which `piece` has arrived. */
  add(piece: Buffer, dataBytes: number): void {
    if (dataBytes === 0) return;
    this.#pieces.push(piece);
    this.#dataBytes += dataBytes;
  }

  flush(): void {
    if (this.#dataBytes === 0) return;
    this.#forwarded.push(Buffer.from(`0:${this.#dataBytes}:`));
    for (const piece of this.#pieces) this.#forwarded.push(piece);
    this.#pieces = [];
    this.#dataBytes = 0;
  }
}

/** Reads the header of the message that starts here. Returns undefined if more bytes are needed. */
function readHeader(bytes: Buffer): Header | undefined {
  const text = bytes.toString('latin1', 0, maxHeaderBytes);
  if (text.startsWith('2')) return { type: 'ping', headerBytes: 1 };
  const data = /^0:(\d{1,7}):/.exec(text);
  if (data) {
    const dataBytes = Number(data[1]);
    if (dataBytes > terminalLimits.dataBytes)
      throw new PortholeError('viewer_message_too_big', { detail: `terminal input of ${dataBytes} bytes` });
    return { type: 'data', headerBytes: data[0].length, dataBytes };
  }
  const size = /^1:(\d{1,4}):(\d{1,4}):/.exec(text);
  if (size) {
    const [columns, rows] = [Number(size[1]), Number(size[2])];
    if (!isValidSize(columns) || !isValidSize(rows))
      throw protocolError(`terminal size ${columns} by ${rows}`);
    return { type: 'size', headerBytes: size[0].length, columns, rows };
  }
  if (/^(0(:\d{0,7})?|1(:\d{0,4}|:\d{1,4}:\d{0,4})?)$/.test(text)) return undefined;
  throw protocolError('unknown terminal message');
}

function isValidSize(value: number): boolean {
  return value >= 1 && value <= terminalLimits.size;
}

function protocolError(detail: string): PortholeError {
  return new PortholeError('viewer_protocol', { detail });
}
