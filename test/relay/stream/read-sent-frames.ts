/**
 * The payload of frames for pveproxy. Throws at frames that it does not accept (AnyEvent.pm): they must be final,
 * binary and masked, and have at most 128 KiB. Others may end its worker.
 */
export function readAsProxmox(bytes: Buffer): Buffer {
  const payload: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== 0x82) throw new Error(`a frame with the first byte ${bytes[at]}`);
    const short = bytes.readUInt8(at + 1);
    if (short < 0x80) throw new Error('a frame without a mask');
    const length =
      short === 0xff
        ? Number(bytes.readBigUInt64BE(at + 2))
        : short === 0xfe
          ? bytes.readUInt16BE(at + 2)
          : short & 0x7f;
    at += short === 0xff ? 10 : short === 0xfe ? 4 : 2;
    if (length > 128 * 1024) throw new Error('a frame above the size limit');
    if (bytes.readUInt32BE(at) !== 0) throw new Error('a mask that is not zero');
    at += 4;
    if (at + length > bytes.length) throw new Error('an incomplete frame');
    payload.push(bytes.subarray(at, at + length));
    at += length;
  }
  return Buffer.concat(payload);
}

/** The payload of frames for a browser. Throws at frames that a server must not send. */
export function readAsBrowser(bytes: Buffer): Buffer {
  const payload: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const first = bytes.readUInt8(at);
    const short = bytes.readUInt8(at + 1);
    if (first !== 0x82 && first !== 0x8a && first !== 0x88) throw new Error(`a frame ${first}`);
    if (short > 126) throw new Error('a frame that is longer than this test can cause');
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short;
    at += short === 126 ? 4 : 2;
    if (first === 0x82) payload.push(bytes.subarray(at, at + length));
    at += length;
  }
  return Buffer.concat(payload);
}

/** The types of a viewer's messages, as a VNC server reads them. Throws at an incomplete message. */
export function clientMessageTypesIn(bytes: Buffer): Set<number> {
  const types = new Set<number>();
  let markedPointerBytes = 6;
  for (let at = 0; at < bytes.length;) {
    const type = bytes.readUInt8(at);
    types.add(type);
    const size = messageSizes[type]?.(bytes, at, markedPointerBytes);
    if (size === undefined || Number.isNaN(size)) throw new Error(`a message of type ${type}`);
    if (type === 2) {
      const offered = bytes.subarray(at + 4, at + size);
      markedPointerBytes = offered.includes(Buffer.from([0xff, 0xff, 0xfe, 0xc4])) ? 7 : 6;
    }
    at += type === 5 && (bytes.readUInt8(at + 1) & 0x80) === 0 ? 6 : size;
  }
  return types;
}

const messageSizes: Readonly<
  Record<number, (bytes: Buffer, at: number, markedPointerBytes: number) => number>
> = {
  0: () => 20,
  2: (bytes, at) => 4 + 4 * bytes.readUInt16BE(at + 2),
  3: () => 10,
  4: () => 8,
  5: (_bytes, _at, markedPointerBytes) => markedPointerBytes,
  6: (bytes, at) => 8 + Math.abs(bytes.readInt32BE(at + 4)),
  150: () => 10,
  248: (bytes, at) => 9 + bytes.readUInt8(at + 8),
  250: () => 4,
  251: (bytes, at) => 8 + 16 * bytes.readUInt8(at + 6),
  255: () => 12,
};
