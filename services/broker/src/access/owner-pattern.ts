import { parsePlaceholder, type Placeholder } from '@porthole/shared/config/placeholder';
import { isAnyCharacters, isLiteral, matchesGlob, parseGlob, type GlobToken } from './glob.ts';

/** The names that placeholders stand for. */
export interface OwnerNames {
  readonly user: string;
  readonly groups: readonly string[];
}

/**
 * An entry with a placeholder. It does not insert names: it takes a machine name, tag or pool apart, and yields the one
 * name in the placeholder's position. So one entry never matches the same machine for two users, whatever users exist:
 * docs/decisions/0012-placeholders-yield-one-owner.md.
 */
export interface OwnerPattern {
  readonly placeholder: Placeholder;
  /** The user or group that the text belongs to. Undefined if the text does not match. */
  ownerOf(text: string): string | undefined;
  matches(text: string, names: OwnerNames): boolean;
}

export interface OwnerPatternOptions {
  /** Whether `*` and `?` are wildcards. */
  readonly wildcards: boolean;
  /** Where upper and lower case are equal. */
  readonly ignoreCase: 'everywhere' | 'in names' | 'nowhere';
}

export const ownerOptions = {
  /** Machine names are DNS names, which ignore case. */
  names: { wildcards: true, ignoreCase: 'everywhere' },
  /** Proxmox writes tags in lower case, unless its option `tag-style` says otherwise. */
  tags: { wildcards: false, ignoreCase: 'in names' },
  /** Proxmox distinguishes case in pools. */
  pools: { wildcards: false, ignoreCase: 'nowhere' },
} as const satisfies Readonly<Record<string, OwnerPatternOptions>>;

/** Compiles an entry with a placeholder. Undefined if it has none. */
export function compileOwnerPattern(entry: string, options: OwnerPatternOptions): OwnerPattern | undefined {
  const parsed = parsePlaceholder(entry);
  if (!parsed) return undefined;
  const { wildcards, ignoreCase } = options;
  const { placeholder } = parsed;
  const foldText = ignoreCase === 'everywhere' ? lowerCase : asIs;
  const foldName = ignoreCase === 'nowhere' ? asIs : lowerCase;
  const tokensOf = (text: string): readonly GlobToken[] =>
    wildcards ? parseGlob(foldText(text)) : Array.from(foldText(text));
  const before = tokensOf(parsed.before);
  const after = tokensOf(parsed.after);

  function ownerOf(text: string): string | undefined {
    const characters = Array.from(foldText(text));
    const start = lengthBefore(before, characters);
    const end = characters.length - lengthBefore(after.toReversed(), characters.toReversed());
    // Also false where one of them is NaN.
    if (!(start < end)) return undefined;
    const fits = matchesGlob(before, characters.slice(0, start)) && matchesGlob(after, characters.slice(end));
    return fits ? foldName(characters.slice(start, end).join('')) : undefined;
  }

  /** A subject can have a thousand groups, and a list thousands of machines, so each group is folded once. */
  const foldedGroups = new WeakMap<readonly string[], ReadonlySet<string>>();
  function foldGroups(groups: readonly string[]): ReadonlySet<string> {
    const known = foldedGroups.get(groups) ?? new Set(groups.map(foldName));
    foldedGroups.set(groups, known);
    return known;
  }

  return {
    placeholder,
    ownerOf,
    matches(text, { user, groups }) {
      const owner = ownerOf(text);
      if (owner === undefined) return false;
      return placeholder === 'user' ? foldName(user) === owner : foldGroups(groups).has(owner);
    },
  };
}

/**
 * How many characters of a text precede the placeholder. Without `*` the tokens fix the number. With `*` the tokens end
 * with a separator, and the placeholder begins behind as many separators as the tokens have. NaN: no match.
 */
function lengthBefore(tokens: readonly GlobToken[], text: readonly string[]): number {
  if (!tokens.some(isAnyCharacters)) return tokens.length;
  const separator = tokens.at(-1);
  if (!isLiteral(separator)) return Number.NaN;
  let missing = tokens.filter((token) => token === separator).length;
  const last = text.findIndex((character) => character === separator && --missing === 0);
  return last < 0 ? Number.NaN : last + 1;
}

const asIs = (text: string) => text;

/**
 * Machine names and tags are ASCII. Folding more would make the Kelvin sign a `k`, so that a user could choose a name
 * that matches the machines of another.
 */
function lowerCase(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
