import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { RandomBytes } from './random.ts';

/**
 * Sealed records: what Porthole writes to the store can't be read, altered, forged, or moved to another key
 * by whoever gets at the store.
 *
 * AES-256-GCM; key = HKDF-SHA256(secret, salt = the bearer's token, info = purpose); additional data = store
 * key. The secret is known to broker and relay, the token only to the bearer: it takes both to open a record.
 * Layout of the result, in base64url: 12 bytes IV, 16 bytes tag, ciphertext.
 */
export interface SealContext {
  /** The bearer's secret, at least 16 random bytes. */
  readonly token: Uint8Array;
  /** Keeps the keys of different kinds of records apart, such as "porthole grant v1". */
  readonly purpose: string;
  readonly storeKey: string;
}

/** Secrets shared by broker and relay. The first seals, all of them open, so keys rotate without a gap. */
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

/** The plain text, or undefined when no key opens the record: forged, altered, moved, or sealed with a key long gone. */
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
      // Not this key. GCM says no more than that, and neither do we.
    }
  }
  return undefined;
}

function deriveKey(secret: string, { token, purpose }: SealContext): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, token, purpose, 32));
}
