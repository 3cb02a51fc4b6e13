/**
 * Patterns for machine names: `*` stands for any characters, `?` for one, `{user}` for the name of whoever
 * asks, `{group}` for any one of their groups. Names at Proxmox are DNS names, so case does not count.
 *
 * Names of people and groups are inserted as the characters that they have, after the pattern was taken apart: a
 * user named `*` matches a machine named `*` and no other. No regular expressions, so no pattern can take
 * exponential time.
 */
export type NameMatcher = (
  machineName: string,
  asks: { readonly user: string; readonly groups: readonly string[] },
) => boolean;

const anyCharacters = Symbol('*');
const anyOne = Symbol('?');
const user = Symbol('{user}');
const group = Symbol('{group}');
type Token = string | typeof anyCharacters | typeof anyOne;

export function compileNamePattern(pattern: string): NameMatcher {
  const parts = pattern
    .split(/(\{user\}|\{group\}|[*?])/)
    .flatMap((text): (Token | typeof user | typeof group)[] => {
      if (text === '*') return [anyCharacters];
      if (text === '?') return [anyOne];
      if (text === '{user}') return [user];
      if (text === '{group}') return [group];
      return folded(text);
    });
  const ofGroups = parts.includes(group);
  const withNames = (userName: string, groupName: string) =>
    parts.flatMap((part): Token[] => {
      if (part === user) return folded(userName);
      return part === group ? folded(groupName) : [part];
    });

  return (machineName, asks) => {
    const text = folded(machineName);
    if (!ofGroups) return matches(withNames(asks.user, ''), text);
    return asks.groups.some((name) => matches(withNames(asks.user, name), text));
  };
}

function folded(text: string): string[] {
  return Array.from(text.toLowerCase());
}

/** Walks both from the left; on a mismatch the last `*` takes one character more. At most tokens × characters steps. */
function matches(tokens: readonly Token[], text: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let retryAt = 0;
  while (at < text.length) {
    const wanted = tokens[token];
    if (wanted === anyCharacters) {
      star = token++;
      retryAt = at;
    } else if (wanted === anyOne || (wanted !== undefined && wanted === text[at])) {
      token++;
      at++;
    } else if (star >= 0) {
      token = star + 1;
      at = ++retryAt;
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === anyCharacters);
}
