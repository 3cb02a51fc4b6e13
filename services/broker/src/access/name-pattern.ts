import { matchesGlob, parseGlob } from './glob.ts';
import { compileOwnerPattern, ownerOptions, type OwnerNames } from './owner-pattern.ts';

export type NameMatcher = (name: string, names: OwnerNames) => boolean;

/**
 * Compiles a pattern for machine names: `*` matches any characters, `?` one; `{user}` is the name of the subject,
 * `{group}` one of its groups. Machine names are DNS names, so case does not count.
 */
export function compileNamePattern(pattern: string): NameMatcher {
  const ownerPattern = compileOwnerPattern(pattern, ownerOptions.names);
  if (ownerPattern) return ownerPattern.matches;
  const tokens = parseGlob(pattern.toLowerCase());
  return (name) => matchesGlob(tokens, Array.from(name.toLowerCase()));
}
