/** `{user}` or `{group}` in an entry of an access rule. */
export type Placeholder = 'user' | 'group';

/** An entry with a placeholder, split around it: `lab-{user}-*` is `lab-`, user, `-*`. */
export interface PlaceholderEntry {
  readonly before: string;
  readonly placeholder: Placeholder;
  readonly after: string;
}

/** Splits an entry around its placeholder. Undefined if it has none. */
export function parsePlaceholder(entry: string): PlaceholderEntry | undefined {
  const { before, placeholder, after } =
    /^(?<before>.*?)\{(?<placeholder>user|group)\}(?<after>.*)$/s.exec(entry)?.groups ?? {};
  return before === undefined || after === undefined
    ? undefined
    : { before, placeholder: placeholder as Placeholder, after };
}

/** Characters that separate a placeholder from a `*`: the only ones besides letters and digits in a machine name. */
const separators = new Set(['-', '.']);

/**
 * Says why an entry of a rule is invalid; undefined if it is valid. A valid entry yields at most one user or group for
 * each machine: docs/decisions/0012-placeholders-yield-one-owner.md explains the conditions.
 */
export function placeholderError(
  entry: string,
  { wildcards }: { readonly wildcards: boolean },
): string | undefined {
  const placeholders = entry.match(/\{[^{}]*\}/g) ?? [];
  if (placeholders.some((one) => one !== '{user}' && one !== '{group}'))
    return 'has an unknown placeholder: use {user} or {group}';
  if (placeholders.length > 1) return 'has more than one placeholder: use one {user} or {group}';
  const parsed = parsePlaceholder(entry);
  if (!parsed || !wildcards) return undefined;
  const { before, placeholder, after } = parsed;
  const isSeparated =
    (!before.includes('*') || separators.has(before.slice(-1))) &&
    (!after.includes('*') || separators.has(after.slice(0, 1)));
  return isSeparated ? undefined : `has no - or . between {${placeholder}} and *`;
}
