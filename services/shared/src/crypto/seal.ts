import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { RandomBytes } from './random.ts';

/**
 * Seals records, so that an attacker with access to the store can neither read, alter and forge them nor move them to
 * another store key.
 *
 * AES-256-GCM with key = HKDF-SHA256(secret, salt = token, info = purpose) and additional data = store key. Broker and
 * relay know the secret, and only the bearer knows the token: both are needed to open a record. The result is the
 * base64url of 12 bytes IV, 16 bytes tag, and the ciphertext.
 */
export interface SealContext {
  /** The bearer's token, at least 16 random bytes. A public value for records that all services may open. */
  readonly token: Uint8Array;
  /** Separates the keys of different record types. Contains a version, such as "porthole grant v1". */
  readonly purpose: string;
  readonly storeKey: string;
}

/** Secrets shared by broker and relay. The first one seals and all of them open, so that keys can be rotated. */
export type SealKeys = () => readonly string[];

const ivBytes = 12;
const tagBytes = 16;

export function seal(keys: SealKeys, random: RandomBytes, context: SealContext, plain: string): string {
  const secret = keys()[0];
  if (secret === undefined) throw new Error('There is no grant key to seal with.');
  const iv = random(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', deriveKey(secret, context), iv);
  cipher.setAAD(Buffer.from(context.storeKey));
  const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
}

/** Returns the plain text, or undefined if no key opens the record: forged, altered, moved, or sealed with a removed key. */
export function unseal(keys: SealKeys, context: SealContext, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < ivBytes + tagBytes) return undefined;
  const iv = bytes.subarray(0, ivBytes);
  const tag = bytes.subarray(ivBytes, ivBytes + tagBytes);
  const body = bytes.subarray(ivBytes + tagBytes);
  for (const secret of keys()) {
    const decipher = createDecipheriv('aes-256-gcm', deriveKey(secret, context), iv, {
      authTagLength: tagBytes,
    });
    decipher.setAAD(Buffer.from(context.storeKey));
    decipher.setAuthTag(tag);
    try {
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    } catch {
      // Another key may open it. GCM tells no more.
    }
  }
  return undefined;
}

/** A KeyObject, because a cipher that is created from bytes costs several times as much (Node 24). */
function deriveKey(secret: string, { token, purpose }: SealContext): KeyObject {
  return createSecretKey(new Uint8Array(hkdfSync('sha256', secret, token, purpose, 32)));
}
