import { createCipheriv } from 'node:crypto';

/**
 * The answer to a VNC Authentication challenge (RFC 6143 section 7.2.2): the 16 bytes, DES-encrypted with the
 * first 8 bytes of the password, each byte's bits reversed.
 *
 * OpenSSL 3 no longer offers single DES. Triple DES with one key three times is the same function.
 */
export function answerChallenge(password: string, challenge: Uint8Array): Buffer {
  const key = Buffer.alloc(8);
  Buffer.from(password, 'latin1').copy(key, 0, 0, 8);
  const reversed = key.map(reverseBits);
  const cipher = createCipheriv('des-ede3-ecb', Buffer.concat([reversed, reversed, reversed]), null);
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(challenge), cipher.final()]);
}

function reverseBits(byte: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 8; bit++) reversed |= ((byte >> bit) & 1) << (7 - bit);
  return reversed;
}
