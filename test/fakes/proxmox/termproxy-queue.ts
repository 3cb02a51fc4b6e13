/**
 * Reads messages as termproxy does (pve-xtermjs termproxy/src/main.rs, process_queue and remove_number), with its
 * faults: it assumes that its buffer of 4096 bytes holds whole message heads, so a message whose head arrives in two
 * parts is lost, and the rest of it is read as further messages.
 */
export interface TermproxyQueue {
  push(bytes: Buffer): void;
}

const bufferBytes = 4096;
const [data, resize] = [0, 1];
const colon = 0x3a;

export function createTermproxyQueue(terminal: {
  input(bytes: Buffer): void;
  resize(columns: number, rows: number): void;
}): TermproxyQueue {
  let buffer = Buffer.alloc(0);
  let remaining = 0;

  const consume = (count: number) => {
    const taken = buffer.subarray(0, count);
    buffer = buffer.subarray(taken.length);
    return taken;
  };

  function takeNumber(): number | undefined {
    for (;;) {
      const at = buffer.indexOf(colon);
      if (at >= 0) {
        const text = consume(at).toString('latin1');
        consume(1);
        return /^\+?\d+$/.test(text) ? Number(text) : undefined;
      }
      if (buffer.length <= 20) return undefined;
      consume(20);
    }
  }

  /** The length of the data that follows, or undefined if the head is not complete. */
  function nextData(): number | undefined {
    while (buffer.length >= 2) {
      const type = (buffer[0] ?? 0) - 0x30;
      if (type === data) {
        consume(2);
        const length = takeNumber();
        if (length !== undefined) return length;
      } else if (type === resize) {
        consume(2);
        const columns = takeNumber();
        const rows = columns === undefined ? undefined : takeNumber();
        if (columns !== undefined && rows !== undefined) terminal.resize(columns & 0xffff, rows & 0xffff);
      } else consume(1); // a ping or an unknown message
    }
    return undefined;
  }

  function process(): void {
    while (buffer.length > 0) {
      if (remaining === 0) {
        const length = nextData();
        if (length === undefined) return;
        remaining = length;
      }
      const bytes = consume(remaining);
      remaining -= bytes.length;
      if (bytes.length > 0) terminal.input(bytes);
    }
  }

  return {
    push(bytes) {
      for (let at = 0; at < bytes.length;) {
        const room = bufferBytes - buffer.length;
        buffer = Buffer.concat([buffer, bytes.subarray(at, at + room)]);
        at += room;
        process();
      }
    },
  };
}
