import { randomBytes, scryptSync } from 'node:crypto';

/** By password, because a hash takes 10 ms. */
const hashes = new Map<string, string>();

/** A password as `npm run user` would print it, but with the lowest cost that the broker accepts. */
export function cheapPasswordHash(password: string): string {
  const known = hashes.get(password);
  if (known !== undefined) return known;
  const salt = randomBytes(16);
  const hash = scryptSync(password, salt, 32, { N: 4096, r: 8, p: 1 });
  const text = `scrypt$4096$8$1$${salt.toString('base64')}$${hash.toString('base64')}`;
  hashes.set(password, text);
  return text;
}
