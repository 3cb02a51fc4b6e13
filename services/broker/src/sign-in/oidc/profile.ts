import type { OidcConfig } from '@porthole/shared/config/sign-in-schema';
import type { User } from '../../identity/user.ts';

/** The limits of grant claims (shared/grant/claims.ts): longer values would fail later, when a console opens. */
const maxLength = 256;
const maxValues = 1000;

/** The user as the provider describes them. */
export interface OidcProfile {
  readonly subject: string;
  readonly name: string;
  readonly displayName?: string | undefined;
  readonly groups: string[];
  readonly claims?: Record<string, string[]> | undefined;
}

/**
 * Returns the user in the claims of a provider, or undefined if they hold no usable name. Groups can be a list or one
 * string. Values that are not strings or too long are ignored.
 */
export function profileFromClaims(
  config: Pick<OidcConfig, 'claims' | 'namePrefix'>,
  claims: Readonly<Record<string, unknown>>,
): OidcProfile | undefined {
  const subject = stringAt(claims, 'sub');
  const name = config.claims.name.map((path) => stringAt(claims, path)).find((text) => text !== undefined);
  if (subject === undefined || name === undefined) return undefined;
  const fullName = `${config.namePrefix}${name}`.normalize('NFC');
  if (fullName.length > maxLength) return undefined;
  const displayName = stringAt(claims, config.claims.displayName)?.slice(0, maxLength);
  const kept = config.claims.keep.map((path) => [path, stringsAt(claims, path)] as const);
  return {
    subject,
    name: fullName,
    ...(displayName === undefined ? {} : { displayName }),
    groups: stringsAt(claims, config.claims.groups),
    ...(kept.length === 0 ? {} : { claims: Object.fromEntries(kept) }),
  };
}

export function userFromProfile(method: string, profile: OidcProfile): User {
  const { subject, name, displayName, groups, claims } = profile;
  return {
    id: `${method}:${subject}`,
    name,
    ...(displayName === undefined || displayName === name ? {} : { displayName }),
    groups,
    ...(claims && { claims }),
  };
}

/** Looks up the exact claim name first (some are URLs with dots), and then the path "a.b". */
function valueAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function stringAt(claims: Readonly<Record<string, unknown>>, path: string): string | undefined {
  const value = valueAt(claims, path);
  return typeof value === 'string' && value.trim() !== '' && value.length <= maxLength ? value : undefined;
}

function stringsAt(claims: Readonly<Record<string, unknown>>, path: string): string[] {
  const value = valueAt(claims, path);
  return (Array.isArray(value) ? value : [value])
    .filter((text): text is string => typeof text === 'string' && text !== '' && text.length <= maxLength)
    .slice(0, maxValues);
}
