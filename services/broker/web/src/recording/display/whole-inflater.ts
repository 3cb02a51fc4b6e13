import type RFB from '@novnc/novnc';

const zrle = 16;
const pieceBytes = 64 * 1024;

/** The part of noVNC's inflater that its decoder of ZRLE uses. */
interface Inflater {
  readonly strm: { readonly output: Uint8Array; readonly next_out: number };
  setInput(data: Uint8Array | null): void;
  /** Throws if there are fewer bytes. Those that there are can be found in `strm` then. */
  inflate(expected: number): Uint8Array;
}

const decodersProperty = '_decoders';
const inflaterProperty = '_inflator';

/**
 * Makes noVNC inflate each ZRLE rectangle in one step. Its decoder asks for single bytes, and each of these calls copies the
 * window of zlib: seeking takes twice as long.
 */
export function inflateWhole(rfb: RFB): void {
  const decoders = (rfb as unknown as Readonly<Record<string, Readonly<Record<number, object>> | undefined>>)[
    decodersProperty
  ];
  const decoder = decoders?.[zrle] as Record<string, Inflater> | undefined;
  const inflater = decoder?.[inflaterProperty];
  if (decoder && inflater) decoder[inflaterProperty] = createWholeInflater(inflater);
}

export function createWholeInflater(inner: Inflater): Inflater {
  let bytes: Uint8Array = new Uint8Array(pieceBytes);
  let used = 0;
  let at = 0;
  const one = new Uint8Array(1);

  /** Answers false when there is no more. */
  function inflatePiece(): boolean {
    let isFull = true;
    try {
      inner.inflate(pieceBytes);
    } catch {
      isFull = false;
    }
    const { output, next_out: length } = inner.strm;
    if (used + length > bytes.length) {
      const larger = new Uint8Array(2 * (used + length));
      larger.set(bytes.subarray(0, used));
      bytes = larger;
    }
    bytes.set(output.subarray(0, length), used);
    used += length;
    return isFull;
  }

  return {
    strm: inner.strm,
    setInput(data) {
      inner.setInput(data);
      used = at = 0;
      if (data) while (inflatePiece());
    },
    inflate(expected) {
      const end = at + expected;
      if (end > used) throw new Error('Incomplete zlib block');
      const start = at;
      at = end;
      if (expected !== 1) return bytes.subarray(start, end);
      one[0] = bytes[start] ?? 0;
      return one;
    },
  };
}
