import { PortholeError } from '@porthole/shared/errors';

/** The messages to termproxy: input, sizes and pings (docs/protocol.md). */
export const terminalLimits = {
  /** Longest input message: one paste, as long as a clipboard text of a screen. */
  dataBytes: 1024 * 1024,
  /** Most input that may wait for a slow terminal: two of the longest messages. */
  waitingBytes: 2 * 1024 * 1024,
  /** Most columns, and most rows. */
  size: 1000,
} as const;

/** Keeps a terminal connection alive. termproxy drops it. */
export const terminalPing = Buffer.from('2');

export type TerminalHeader =
  | { readonly type: 'data'; readonly headerBytes: number; readonly dataBytes: number }
  | { readonly type: 'size'; readonly headerBytes: number; readonly columns: number; readonly rows: number }
  | { readonly type: 'ping'; readonly headerBytes: number };

/** "0:1048576:" has ten bytes, "1:1000:1000:" has twelve. */
const maxHeaderBytes = 12;

/** Reads the header of the message that starts here. Returns undefined if more bytes are needed. */
export function readHeader(bytes: Buffer): TerminalHeader | undefined {
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

export function inputMessage(data: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`0:${data.length}:`), data]);
}

export type TerminalMessage =
  | { readonly type: 'data'; readonly data: Buffer }
  | { readonly type: 'size' | 'ping'; readonly bytes: Buffer };

/** Splits bytes that consist of whole messages. The results are slices. */
export function* readTerminalMessages(bytes: Buffer): Generator<TerminalMessage> {
  for (let at = 0; at < bytes.length;) {
    const header = readHeader(bytes.subarray(at));
    if (!header) throw new Error('The bytes end within a terminal message.');
    const dataAt = at + header.headerBytes;
    if (header.type === 'data') {
      yield { type: 'data', data: bytes.subarray(dataAt, dataAt + header.dataBytes) };
      at = dataAt + header.dataBytes;
    } else {
      yield { type: header.type, bytes: bytes.subarray(at, dataAt) };
      at = dataAt;
    }
  }
}
