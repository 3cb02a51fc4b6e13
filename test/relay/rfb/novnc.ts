/** The parts of noVNC that tests compare the relay with, in the version that the pages bundle. */
export interface Novnc {
  /** Functions that write one message each. */
  readonly messages: Readonly<Record<string, (socket: OutgoingBytes, ...given: never[]) => void>>;
  genDES(password: string, challenge: Uint8Array): Uint8Array;
}

/** The part of noVNC's Websock that its messages are written to. */
export interface OutgoingBytes {
  sQpush8(value: number): void;
  sQpush16(value: number): void;
  sQpush32(value: number): void;
  sQpushString(text: string): void;
  sQpushBytes(bytes: Uint8Array): void;
  flush(): void;
}

export async function loadNovnc(): Promise<Novnc> {
  // noVNC detects its browser when it is loaded. These stubs are enough for that.
  const element: Record<string, unknown> = {
    style: {},
    getContext: () => null,
    appendChild() {},
    removeChild() {},
  };
  element['parentNode'] = element;
  const browser = {
    window: globalThis,
    addEventListener() {},
    document: { createElement: () => element, documentElement: element, body: element },
    MutationObserver: function noObserver() {},
  };
  for (const [name, value] of Object.entries(browser))
    Object.defineProperty(globalThis, name, { value, configurable: true });
  const name = '@novnc/novnc';
  const { default: novnc } = (await import(name)) as { default: Novnc };
  return novnc;
}

/** The bytes that `write` writes. */
export function bytesWritten(write: (socket: OutgoingBytes) => void): Buffer {
  const bytes: number[] = [];
  const push = (value: number, size: number) => {
    for (let at = size - 1; at >= 0; at--) bytes.push((value >>> (8 * at)) & 0xff);
  };
  write({
    sQpush8: (value) => push(value, 1),
    sQpush16: (value) => push(value, 2),
    sQpush32: (value) => push(value, 4),
    sQpushString: (text) => bytes.push(...Buffer.from(text, 'latin1')),
    sQpushBytes: (more) => bytes.push(...more),
    flush() {},
  });
  return Buffer.from(bytes);
}
