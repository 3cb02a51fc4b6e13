import { hkdfSync } from 'node:crypto';
import type { SealKeys } from '@porthole/shared/crypto/seal';

/** A pre-shared key of TLS between relays, and the public name by which both sides know it. */
export interface PeerKey {
  readonly identity: string;
  readonly psk: Buffer;
}

/** The keys of the connections between relays. While grant keys rotate, a relay uses the first and accepts all. */
export interface PeerKeys {
  first(): PeerKey;
  find(identity: string): PeerKey | undefined;
}

const pskPurpose = 'porthole internal connection v1';
const identityPurpose = 'porthole internal connection name v1';
/** Cached derived keys. To derive a key costs more than to use it. */
const maxCachedKeys = 16;

/** Derives a key from each grant key (HKDF-SHA256). The identity is derived as well, and reveals nothing of the key. */
export function createPeerKeys(keys: SealKeys): PeerKeys {
  const derived = new Map<string, PeerKey>();

  function derive(secret: string): PeerKey {
    let key = derived.get(secret);
    if (!key) {
      if (derived.size >= maxCachedKeys) derived.clear();
      key = {
        identity: Buffer.from(hkdfSync('sha256', secret, '', identityPurpose, 16)).toString('hex'),
        psk: Buffer.from(hkdfSync('sha256', secret, '', pskPurpose, 32)),
      };
      derived.set(secret, key);
    }
    return key;
  }

  return {
    first() {
      const [secret] = keys();
      if (secret === undefined) throw new Error('There is no grant key for connections between relays.');
      return derive(secret);
    },
    find: (identity) =>
      keys()
        .map(derive)
        .find((key) => key.identity === identity),
  };
}
