import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { RandomBytes } from '../../crypto/random.ts';
import { seal, unseal, type SealContext, type SealKeys } from '../../crypto/seal.ts';
import type { PartAddress } from '../names.ts';
import { keyIdBytes, type ObjectHeader } from './object-header.ts';

/**
 * The key of a part: 32 random bytes, sealed by the first recording key. Each part has a key of its own, so that two
 * relays can never encrypt different data with the same key and nonce.
 */
export interface PartKey {
  /** Not bytes, because a cipher that has to make a key of them first takes several times as long to create. */
  readonly key: KeyObject;
  readonly keyId: Buffer;
  readonly sealedKey: string;
}

const purpose = 'porthole recording key v1';
const keyIdPurpose = 'porthole recording key id v1';

export function createPartKey(keys: SealKeys, random: RandomBytes, address: PartAddress): PartKey {
  const secret = keys()[0];
  if (secret === undefined) throw new Error('There is no recording key to seal with.');
  const key = random(32);
  const sealedKey = seal(() => [secret], random, contextOf(address), key.toString('base64url'));
  return { key: createSecretKey(key), keyId: recordingKeyId(secret), sealedKey };
}

/** Eight bytes that identify a recording key and tell nothing else about it. */
export function recordingKeyId(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', keyIdPurpose, keyIdBytes));
}

/** The part's key. `unknown_key`: the recording key was removed. `not_authentic`: the header was altered. */
export function openPartKey(
  keys: SealKeys,
  header: Pick<ObjectHeader, 'recording' | 'part' | 'keyId' | 'sealedKey'>,
): KeyObject | 'unknown_key' | 'not_authentic' {
  const known = keys().filter((secret) => recordingKeyId(secret).equals(header.keyId));
  const plain = unseal(() => known, contextOf(header), header.sealedKey);
  if (plain !== undefined) return createSecretKey(plain, 'base64url');
  // A damaged id looks like that of a removed key, unless a key opens what it names.
  if (known.length > 0 || unseal(keys, contextOf(header), header.sealedKey) !== undefined)
    return 'not_authentic';
  return 'unknown_key';
}

const contextOf = ({ recording, part }: PartAddress): SealContext => ({
  token: Buffer.from(recording),
  purpose,
  storeKey: `${recording}/${part}`,
});
