import { randomBytes as systemRandomBytes } from 'node:crypto';

/** Returns `size` unpredictable bytes. An argument, so that tests can choose them. */
export type RandomBytes = (size: number) => Buffer;

export const systemRandom: RandomBytes = (size) => systemRandomBytes(size);

/** Creates an opaque identifier: `bytes` random bytes in base64url. */
export function randomId(random: RandomBytes, bytes = 16): string {
  return random(bytes).toString('base64url');
}
