import { createCipheriv } from 'node:crypto';

/**
 * The cipher of VNC authentication (RFC 6143, section 7.2.2). Plain DES is gone from OpenSSL's default
 * provider, but triple DES with the same key three times is the same function.
 */
function des(key: Buffer, data: Buffer): Buffer {
  const cipher = createCipheriv('des-ede3-ecb', Buffer.concat([key, key, key]), null);
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

/** VNC takes the bits of every key byte in reverse order. */
function mirror(byte: number): number {
  let result = 0;
  for (let bit = 0; bit < 8; bit++) result |= ((byte >> bit) & 1) << (7 - bit);
  return result;
}

/** Only the first eight bytes of a password count; a shorter one is filled with zeros. */
function eightBytes(password: string): Buffer {
  const key = Buffer.alloc(8);
  Buffer.from(password, 'utf8').copy(key);
  return key;
}

/** The 16 bytes that answer a challenge of 16 bytes. */
export function vncResponse(password: string, challenge: Buffer): Buffer {
  return des(Buffer.from(eightBytes(password).map(mirror)), challenge);
}

/** A password as VNC servers keep it in a file: DES under a key that everybody knows. */
export function obfuscatedPassword(password: string): Buffer {
  return des(Buffer.from([23, 82, 107, 6, 35, 78, 88, 7].map(mirror)), eightBytes(password));
}
