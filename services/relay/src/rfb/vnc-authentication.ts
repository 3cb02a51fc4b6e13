import { createCipheriv, createSecretKey } from 'node:crypto';

/**
 * The response to a VNC Authentication challenge (RFC 6143 section 7.2.2): the 16 bytes, encrypted by DES. The key is
 * the first 8 bytes of the password with the bits of each byte reversed.
 *
 * OpenSSL 3 has no single DES, so this uses triple DES with the same key three times, which gives the same result.
 */
export function answerChallenge(password: string, challenge: Uint8Array): Buffer {
  const key = Buffer.alloc(8);
  Buffer.from(password, 'latin1').copy(key, 0, 0, 8);
  const reversed = key.map(reverseBits);
  // A KeyObject, because a cipher that is created from bytes costs several times as much (Node 24).
  const tripled = createSecretKey(Buffer.concat([reversed, reversed, reversed]));
  const cipher = createCipheriv('des-ede3-ecb', tripled, null);
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(challenge), cipher.final()]);
}

function reverseBits(byte: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 8; bit++) reversed |= ((byte >> bit) & 1) << (7 - bit);
  return reversed;
}
