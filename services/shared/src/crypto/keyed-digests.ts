import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { SealKeys } from './seal.ts';

/**
 * Digests that replace guessable names in store keys, such as users, addresses and machines. HMAC-SHA256 with a key
 * that is derived from the grant key, so that an attacker who reads the store cannot find a name by trying. For names
 * that cannot be guessed, such as tokens and session ids, a plain digest is enough (store/keys.ts).
 */
export interface KeyedDigests {
  /** The digest by the first grant key. Write under this one. */
  of(name: string): string;
  /** The digests by all grant keys, in their order. While keys rotate, look under each of them. */
  all(name: string): readonly [string, ...string[]];
}

const purpose = 'porthole names v1';
/** Cached derived keys. To derive a key costs more than to use it. */
const maxCachedKeys = 16;

export function createKeyedDigests(keys: SealKeys): KeyedDigests {
  const derived = new Map<string, KeyObject>();

  /** A KeyObject, because a digest that is created from bytes costs several times as much (Node 24). */
  function hmacKey(secret: string): KeyObject {
    let key = derived.get(secret);
    if (!key) {
      if (derived.size >= maxCachedKeys) derived.clear();
      key = createSecretKey(new Uint8Array(hkdfSync('sha256', secret, '', purpose, 32)));
      derived.set(secret, key);
    }
    return key;
  }

  const digestWith = (secret: string, name: string) =>
    createHmac('sha256', hmacKey(secret)).update(name).digest('hex');

  function all(name: string): readonly [string, ...string[]] {
    const [first, ...others] = keys();
    if (first === undefined) throw new Error('There is no grant key for name digests.');
    return [digestWith(first, name), ...others.map((secret) => digestWith(secret, name))];
  }

  return { of: (name) => all(name)[0], all };
}
