/** Unsigned LEB128: seven bits per byte, the lowest first. Up to 2^53 − 1 in at most eight bytes. */
export const maxVarintBytes = 8;

/** Writes the value at `offset` and returns the offset behind it. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let rest = value;
  let at = offset;
  while (rest >= 128) {
    target[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  target[at++] = rest;
  return at;
}

export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** Reads a value and advances `cursor.at`. Undefined if the bytes end before it does, or if it is too large. */
export function readVarint(bytes: Uint8Array, cursor: { at: number }): number | undefined {
  let value = 0;
  let factor = 1;
  for (let count = 0; count < maxVarintBytes; count++) {
    const byte = bytes[cursor.at];
    if (byte === undefined) return undefined;
    cursor.at++;
    value += (byte & 127) * factor;
    if (byte < 128) return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
    factor *= 128;
  }
  return undefined;
}
