import { createHmac, hkdfSync } from 'node:crypto';
import type { SealKeys } from './seal.ts';

/**
 * What stands in the store instead of a name that can be guessed: a user, an address, a machine. HMAC-SHA256 with a
 * key that is derived from the grant key, so that whoever reads the store can't try names until one fits. Names that
 * nobody can guess, tokens and ids of sessions above all, do with a plain digest (keys.ts).
 */
export interface KeyedDigests {
  /** By the first grant key: under this, things are written. */
  of(name: string): string;
  /** By every grant key, that of the first one first: under one of these, things are found while keys change. */
  all(name: string): readonly [string, ...string[]];
}

const purpose = 'porthole names v1';
/** Of derived keys that are kept: they cost more than what they are used for. */
const maxCachedKeys = 16;

export function createKeyedDigests(keys: SealKeys): KeyedDigests {
  const derived = new Map<string, Buffer>();

  function hmacKey(secret: string): Buffer {
    let key = derived.get(secret);
    if (!key) {
      if (derived.size >= maxCachedKeys) derived.clear();
      key = Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
      derived.set(secret, key);
    }
    return key;
  }

  const digestWith = (secret: string, name: string) =>
    createHmac('sha256', hmacKey(secret)).update(name).digest('hex');

  function all(name: string): readonly [string, ...string[]] {
    const [first, ...others] = keys();
    if (first === undefined) throw new Error('There is no grant key to hide names with.');
    return [digestWith(first, name), ...others.map((secret) => digestWith(secret, name))];
  }

  return { of: (name) => all(name)[0], all };
}
