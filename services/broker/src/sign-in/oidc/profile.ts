import { z } from 'zod';
import type { OidcConfig } from '@porthole/shared/config/sign-in-schema';
import type { User } from '../../identity/user.ts';

/** Bounds of grant-claims.ts: what is longer would be refused there, when somebody clicks. */
const maxLength = 256;
const maxValues = 1000;

/** What a sign-in by an issuer rests on. */
export const oidcLoginData = z.object({
  subject: z.string(),
  name: z.string(),
  displayName: z.string().optional(),
  groups: z.array(z.string()),
  claims: z.record(z.string(), z.array(z.string())).optional(),
  refreshToken: z.string().optional(),
  /** When the issuer last said that all this is so, in milliseconds since the epoch. */
  checkedAt: z.number(),
});
export type OidcLoginData = z.infer<typeof oidcLoginData>;
export type OidcProfile = Pick<OidcLoginData, 'subject' | 'name' | 'displayName' | 'groups' | 'claims'>;

/**
 * Who somebody is by the claims of an issuer; undefined when they hold no usable name. Groups may be a list or one
 * text; what is no text or too long is none.
 */
export function profileFromClaims(
  config: Pick<OidcConfig, 'claims' | 'namePrefix'>,
  claims: Readonly<Record<string, unknown>>,
): OidcProfile | undefined {
  const subject = textAt(claims, 'sub');
  const name = config.claims.name.map((path) => textAt(claims, path)).find((text) => text !== undefined);
  if (subject === undefined || name === undefined) return undefined;
  const full = `${config.namePrefix}${name}`.normalize('NFC');
  if (full.length > maxLength) return undefined;
  const displayName = textAt(claims, config.claims.displayName)?.slice(0, maxLength);
  const kept = config.claims.keep.map((path) => [path, textsAt(claims, path)] as const);
  return {
    subject,
    name: full,
    ...(displayName === undefined ? {} : { displayName }),
    groups: textsAt(claims, config.claims.groups),
    ...(kept.length === 0 ? {} : { claims: Object.fromEntries(kept) }),
  };
}

export function userFromProfile(method: string, person: OidcProfile): User {
  const { subject, name, displayName, groups, claims } = person;
  return {
    id: `${method}:${subject}`,
    name,
    ...(displayName === undefined || displayName === name ? {} : { displayName }),
    groups,
    ...(claims && { claims }),
  };
}

/** A claim by its very name first (some are URLs, with dots), then by the path "a.b". */
function valueAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

function textAt(claims: Readonly<Record<string, unknown>>, path: string): string | undefined {
  const value = valueAt(claims, path);
  return typeof value === 'string' && value.trim() !== '' && value.length <= maxLength ? value : undefined;
}

function textsAt(claims: Readonly<Record<string, unknown>>, path: string): string[] {
  const value = valueAt(claims, path);
  return (Array.isArray(value) ? value : [value])
    .filter((text): text is string => typeof text === 'string' && text !== '' && text.length <= maxLength)
    .slice(0, maxValues);
}
