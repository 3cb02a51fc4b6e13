import { randomBytes as systemRandomBytes } from 'node:crypto';

/** Randomness as an argument: `size` unpredictable bytes. */
export type RandomBytes = (size: number) => Buffer;

export const systemRandom: RandomBytes = (size) => systemRandomBytes(size);

/** A fresh opaque identifier: `bytes` random bytes in base64url. */
export function randomId(random: RandomBytes, bytes = 16): string {
  return random(bytes).toString('base64url');
}
