import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, SignJWT, type JWK, type JWTPayload } from 'jose';
import type { Secret } from '@porthole/shared/config/secret';

/** The keys with which Porthole signs what it sends to learning platforms. */
export interface ToolKeys {
  /** The public keys, for platforms. */
  jwks(): Promise<{ readonly keys: readonly JWK[] }>;
  /** Signs with the first key. */
  sign(claims: JWTPayload): Promise<string>;
}

interface ToolKey {
  readonly privateKey: KeyObject;
  readonly jwk: JWK & { readonly kid: string };
}

const pemBlock = /-----BEGIN [A-Z ]+-----[\s\S]+?-----END [A-Z ]+-----/g;
/** LTI requires RS256. */
const algorithm = 'RS256';

/** Follows changes of the file. Platforms know a new key only after they fetched it: put it second first. */
export function createToolKeys(pem: Secret): ToolKeys {
  let known: { readonly text: string; readonly keys: Promise<readonly [ToolKey, ...ToolKey[]]> } | undefined;

  function keys(): Promise<readonly [ToolKey, ...ToolKey[]]> {
    const text = pem();
    if (known?.text !== text) known = { text, keys: describeKeys(text) };
    return known.keys;
  }

  return {
    jwks: async () => ({ keys: (await keys()).map(({ jwk }) => jwk) }),
    async sign(claims) {
      const [{ privateKey, jwk }] = await keys();
      return new SignJWT(claims)
        .setProtectedHeader({ alg: algorithm, kid: jwk.kid, typ: 'JWT' })
        .sign(privateKey);
    },
  };
}

/** Returns what is wrong with the keys, without quoting them. */
export function toolKeysError(text: string): string | undefined {
  try {
    parseKeys(text);
    return undefined;
  } catch (error) {
    return error instanceof KeyError ? error.message : 'must contain private keys in PEM format';
  }
}

class KeyError extends Error {}

function parseKeys(text: string): KeyObject[] {
  const blocks = text.match(pemBlock) ?? [];
  if (blocks.length < 1 || blocks.length > 2)
    throw new KeyError('must contain one or two private keys in PEM format');
  return blocks.map((block) => {
    const key = createPrivateKey(block);
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    if (key.asymmetricKeyType !== 'rsa' || bits < 2048)
      throw new KeyError('must contain RSA keys of at least 2048 bits, because LTI requires RS256');
    return key;
  });
}

async function describeKeys(text: string): Promise<readonly [ToolKey, ...ToolKey[]]> {
  const described = await Promise.all(
    parseKeys(text).map(async (privateKey) => {
      const publicJwk = await exportJWK(createPublicKey(privateKey));
      const kid = await calculateJwkThumbprint(publicJwk);
      return { privateKey, jwk: { ...publicJwk, kid, alg: algorithm, use: 'sig' } };
    }),
  );
  const [first, ...others] = described;
  if (!first) throw new KeyError('must contain a private key');
  return [first, ...others];
}
