import { parseJson } from '@porthole/shared/parse-json';

/** Second factors that can be typed. WebAuthn keys work only on Proxmox's own pages. */
export const tfaFactors = ['totp', 'recovery', 'yubico'] as const;
export type TfaFactor = (typeof tfaFactors)[number];

/**
 * Returns the second factors that a challenge ticket offers, `PVE:!tfa!<percent-encoded JSON>:<time>::<signature>`.
 * Only Proxmox verifies the signature: the result decides only what the page asks for.
 */
export function factorsOfChallenge(challenge: string): readonly TfaFactor[] {
  const encoded = /^PVE:!tfa!([^:]+):/.exec(challenge)?.[1];
  const offered = encoded === undefined ? undefined : parseJson(percentDecode(encoded));
  if (typeof offered !== 'object' || offered === null) return [];
  return tfaFactors.filter(
    (factor) =>
      Object.hasOwn(offered, factor) && isUsable((offered as Readonly<Record<string, unknown>>)[factor]),
  );
}

/** For recovery keys, Proxmox lists the unused ones. */
function isUsable(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
