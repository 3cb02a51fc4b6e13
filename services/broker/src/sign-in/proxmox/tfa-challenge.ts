import { parseJson } from '@porthole/shared/parse-json';

/** Second factors that can be typed. Keys that are plugged in answer only to the pages of Proxmox. */
export const tfaFactors = ['totp', 'recovery', 'yubico'] as const;
export type TfaFactor = (typeof tfaFactors)[number];

/**
 * The second factors of a challenge ticket, `PVE:!tfa!<percent-escaped JSON>:<time>::<signature>`. The signature is for
 * Proxmox to check: this only decides what is asked for.
 */
export function factorsOfChallenge(challenge: string): readonly TfaFactor[] {
  const escaped = /^PVE:!tfa!([^:]+):/.exec(challenge)?.[1];
  const kinds = escaped === undefined ? undefined : parseJson(decoded(escaped));
  if (typeof kinds !== 'object' || kinds === null) return [];
  return tfaFactors.filter((factor) => Object.hasOwn(kinds, factor) && isThere((kinds as Kinds)[factor]));
}

type Kinds = Readonly<Record<string, unknown>>;

/** Recovery keys come as the list of those that are left. */
function isThere(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
