/** Encodings and pseudo-encodings, named as in rfbproto. */
export const encodings = {
  raw: 0,
  copyRect: 1,
  hextile: 5,
  zlib: 6,
  tight: 7,
  zrle: 16,
  desktopSize: -223,
  lastRect: -224,
  cursor: -239,
  qemuExtendedKey: -258,
  tightPng: -260,
  qemuLedState: -261,
  desktopName: -307,
  extendedDesktopSize: -308,
  xvp: -309,
  fence: -312,
  continuousUpdates: -313,
  extendedMouseButtons: -316,
  extendedClipboard: 0xc0_a1_e5_ce | 0,
} as const;

const qualityLevels = { from: -32, to: -23 };
/** Without the lowest level: with it, some servers send Tight without zlib, each in a variant of its own. */
const compressionLevels = { from: -255, to: -247 };

/** Without Hextile: its rectangles have no length, so their end is found only by decoding them. */
const parsable: ReadonlySet<number> = new Set(
  Object.values(encodings).filter((encoding) => encoding !== encodings.hextile),
);

/** Whether the relay can parse whatever a server sends to a viewer that offers this (server-message-reader.ts). */
export function canParse(encoding: number): boolean {
  return parsable.has(encoding) || isWithin(qualityLevels, encoding) || isWithin(compressionLevels, encoding);
}

function isWithin({ from, to }: { from: number; to: number }, encoding: number): boolean {
  return encoding >= from && encoding <= to;
}

/** Whether a SetEncodings message offers this encoding. */
export function offersEncoding(setEncodings: Buffer, encoding: number): boolean {
  for (let at = 4; at + 4 <= setEncodings.length; at += 4)
    if (setEncodings.readInt32BE(at) === encoding) return true;
  return false;
}

/** A SetEncodings message with the encodings that `keep` accepts; the same message if that is all of them. */
export function filterEncodings(setEncodings: Buffer, keep: (encoding: number) => boolean): Buffer {
  const kept: number[] = [];
  for (let at = 4; at + 4 <= setEncodings.length; at += 4) {
    const encoding = setEncodings.readInt32BE(at);
    if (keep(encoding)) kept.push(encoding);
  }
  const message = Buffer.alloc(4 + 4 * kept.length);
  if (message.length === setEncodings.length) return setEncodings;
  message[0] = setEncodings[0] ?? 0;
  message.writeUInt16BE(kept.length, 2);
  kept.forEach((encoding, index) => message.writeInt32BE(encoding, 4 + 4 * index));
  return message;
}
