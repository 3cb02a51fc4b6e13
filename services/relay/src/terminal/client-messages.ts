import { PortholeError } from '@porthole/shared/errors';
import type { ClientMessageFilter } from '../rfb/client-messages.ts';

/**
 * The thin direction of a terminal, in termproxy's own messages (pve-xtermjs, termproxy/src/main.rs):
 * `0:LENGTH:data` is typed, `1:COLUMNS:ROWS:` is the size, `2` says that somebody is there. Frames mean nothing.
 *
 * Nothing passes as it came. Typed bytes leave in messages of our own, as they arrive, so that nothing is kept but
 * the head of a message, and each is small enough for termproxy, which reads into 4096 bytes.
 */
export const terminalLimits = {
  /** Longest message; whoever pastes more sends more of them. */
  inputBytes: 32 * 1024,
  /** Most columns and rows: letters of 4 points on a wall of screens. */
  side: 1000,
  /** Longest message toward termproxy, without its head. */
  pieceBytes: 2048,
} as const;

/** "I am here": also what keeps a terminal alive on which nothing happens. */
export const terminalPing = Buffer.from('2');

/** `0:32768:` and `1:1000:1000:`. */
const maxHeadBytes = 12;
const colon = 0x3a;

export function createTerminalFilter(options: {
  readonly viewOnly: boolean;
  /** Called for whatever is typed, also when the session is view-only. */
  readonly onHumanInput: () => void;
}): Pick<ClientMessageFilter, 'push' | 'atBorder'> {
  const { viewOnly, onHumanInput } = options;
  /** The head of a message whose end has not arrived. */
  let head = '';
  /** Typed bytes of the message that are still to come. */
  let left = 0;

  function pass(typed: Buffer, passed: Buffer[]): void {
    onHumanInput();
    if (viewOnly) return;
    for (let at = 0; at < typed.length; at += terminalLimits.pieceBytes) {
      const piece = typed.subarray(at, at + terminalLimits.pieceBytes);
      passed.push(Buffer.from(`0:${piece.length}:`), piece);
    }
  }

  /** Reads one byte of a head. */
  function read(byte: number, passed: Buffer[]): void {
    head += String.fromCharCode(byte);
    if (head === '2') {
      passed.push(terminalPing);
      head = '';
      return;
    }
    if (!headPattern.test(head) || head.length > maxHeadBytes)
      throw new PortholeError('viewer_protocol', { detail: 'not a message of a terminal' });
    if (byte !== colon) return;
    const [type, first, second] = head.split(':');
    if (type === '0' && first) {
      left = atMost(Number(first), terminalLimits.inputBytes, 'bytes typed');
      head = '';
    } else if (second) {
      const columns = atMost(Number(first), terminalLimits.side, 'columns');
      const rows = atMost(Number(second), terminalLimits.side, 'rows');
      if (!viewOnly) passed.push(Buffer.from(`1:${columns}:${rows}:`));
      head = '';
    }
  }

  return {
    // What passes is whole at any time.
    atBorder: true,
    push(chunk) {
      const passed: Buffer[] = [];
      for (let at = 0; at < chunk.length;) {
        if (left === 0) {
          read(chunk[at] ?? 0, passed);
          at += 1;
          continue;
        }
        const typed = chunk.subarray(at, at + left);
        left -= typed.length;
        at += typed.length;
        pass(typed, passed);
      }
      return passed;
    },
  };
}

/** The beginning of a head. Numbers begin with another digit than 0: there is one way to write each. */
const headPattern = /^(0(:([1-9]\d*:?)?)?|1(:([1-9]\d*(:([1-9]\d*:?)?)?)?)?)$/;

function atMost(given: number, most: number, what: string): number {
  if (given > most) throw new PortholeError('viewer_too_big', { detail: `${given} ${what}` });
  return given;
}
