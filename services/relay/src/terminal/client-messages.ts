import { PortholeError } from '@porthole/shared/errors';
import type { MessageFilter } from '../stream/message-filter.ts';

/**
 * The thin direction of a terminal: what a viewer types, in the messages that Proxmox's own terminal page sends
 * (pve-xtermjs main.js): `0:LENGTH:data`, `1:COLUMNS:ROWS:` and `2`, in whatever frames.
 *
 * Strict, and written anew for the machine, because termproxy is neither: it takes whatever has arrived for whole
 * messages, so a head that is cut in two is lost and what was to be typed is read as messages (termproxy main.rs).
 * Hence heads leave here in one piece, and data that came together go under one head: the fewer there are, the fewer
 * can lie at the end of its buffer of 4096 bytes.
 */
export const terminalLimits = {
  /** As much as a clipboard may hold elsewhere; a paste is one message. */
  dataBytes: 1024 * 1024,
  /** Columns, and rows. */
  size: 1000,
} as const;

/** To keep a terminal alive: termproxy drops it. */
export const terminalPing = Buffer.from('2');

type Head =
  | { readonly type: 'data'; readonly bytes: number; readonly length: number }
  | { readonly type: 'size'; readonly bytes: number; readonly columns: number; readonly rows: number }
  | { readonly type: 'ping'; readonly bytes: number };

/** "0:1048576:" has ten bytes, "1:1000:1000:" has twelve. */
const maxHeadBytes = 12;

export function createTerminalMessageFilter(options: {
  /** Nothing is typed, and nobody else's terminal changes its size. */
  readonly viewOnly: boolean;
  /** Called for whatever is typed or pasted, also when the session is view-only. */
  readonly onHumanInput: () => void;
}): MessageFilter {
  const { viewOnly, onHumanInput } = options;
  /** The beginning of a head whose end has not arrived. */
  let pending: Buffer = Buffer.alloc(0);
  /** Bytes of data that are still to come. */
  let left = 0;

  /** Collects what was typed until something else comes, and puts one head before all of it. */
  function createRun(passed: Buffer[]) {
    let parts: Buffer[] = [];
    let announced = 0;
    return {
      add(part: Buffer, length: number) {
        parts.push(part);
        announced += length;
      },
      end() {
        if (announced > 0 && !viewOnly) passed.push(Buffer.from(`0:${announced}:`), ...parts);
        parts = [];
        announced = 0;
      },
    };
  }

  function takeData(bytes: Buffer): Buffer {
    const part = bytes.subarray(0, left);
    left -= part.length;
    return part;
  }

  return {
    get atMessageBoundary() {
      return left === 0;
    },
    push(chunk, passed = []) {
      const run = createRun(passed);
      const begun = takeData(chunk);
      if (begun.length > 0 && !viewOnly) passed.push(begun);
      let rest = chunk.subarray(begun.length);
      if (rest.length > 0 && pending.length > 0) {
        rest = Buffer.concat([pending, rest]);
        pending = Buffer.alloc(0);
      }
      try {
        while (rest.length > 0) {
          const head = readHead(rest);
          if (!head) {
            pending = Buffer.from(rest); // a copy: the chunk's memory belongs to the socket
            break;
          }
          rest = rest.subarray(head.bytes);
          if (head.type === 'data') {
            if (head.length > 0) onHumanInput();
            left = head.length;
            const part = takeData(rest);
            run.add(part, head.length);
            rest = rest.subarray(part.length);
          } else if (head.type === 'size') {
            run.end();
            if (!viewOnly) passed.push(Buffer.from(`1:${head.columns}:${head.rows}:`));
          }
        }
      } finally {
        // Also when a fault follows: it makes no difference in which pieces all this arrives.
        run.end();
      }
      return passed;
    },
  };
}

/** The head of the message that begins here, or undefined when more is needed to tell. */
function readHead(bytes: Buffer): Head | undefined {
  const text = bytes.toString('latin1', 0, maxHeadBytes);
  if (text.startsWith('2')) return { type: 'ping', bytes: 1 };
  const data = /^0:(\d{1,7}):/.exec(text);
  if (data) {
    const length = Number(data[1]);
    if (length > terminalLimits.dataBytes)
      throw new PortholeError('viewer_message_too_big', { detail: `${length} bytes typed at once` });
    return { type: 'data', bytes: data[0].length, length };
  }
  const size = /^1:(\d{1,4}):(\d{1,4}):/.exec(text);
  if (size) {
    const [columns, rows] = [Number(size[1]), Number(size[2])];
    if (!isSide(columns) || !isSide(rows)) throw broken(`a terminal of ${columns} by ${rows}`);
    return { type: 'size', bytes: size[0].length, columns, rows };
  }
  if (/^(0(:\d{0,7})?|1(:\d{0,4}|:\d{1,4}:\d{0,4})?)$/.test(text)) return undefined;
  throw broken('something that is no message of a terminal');
}

const isSide = (value: number) => value >= 1 && value <= terminalLimits.size;

const broken = (detail: string) => new PortholeError('viewer_protocol', { detail });
