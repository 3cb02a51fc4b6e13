import { createCipheriv } from 'node:crypto';

/**
 * The cipher of VNC authentication (RFC 6143, section 7.2.2). OpenSSL's default provider has no plain DES, but triple DES with
 * three equal keys is the same function.
 */
function des(key: Buffer, data: Buffer): Buffer {
  const cipher = createCipheriv('des-ede3-ecb', Buffer.concat([key, key, key]), null);
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

/** VNC reverses the bits of each key byte. */
function mirror(byte: number): number {
  let result = 0;
  for (let bit = 0; bit < 8; bit++) result |= ((byte >> bit) & 1) << (7 - bit);
  return result;
}

/** The first eight bytes of a password, padded with zeros. */
function eightBytes(password: string): Buffer {
  const key = Buffer.alloc(8);
  Buffer.from(password, 'utf8').copy(key);
  return key;
}

/** The response of 16 bytes to a challenge of 16 bytes. */
export function vncResponse(password: string, challenge: Buffer): Buffer {
  return des(Buffer.from(eightBytes(password).map(mirror)), challenge);
}

/** A password as in the password file of a VNC server: encrypted with DES under a public key constant. */
export function obfuscatedPassword(password: string): Buffer {
  return des(Buffer.from([23, 82, 107, 6, 35, 78, 88, 7].map(mirror)), eightBytes(password));
}
