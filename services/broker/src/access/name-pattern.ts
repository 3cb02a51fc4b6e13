/**
 * Patterns for machine names: `*` stands for any characters, `?` for one, `{user}` for the name of whoever
 * asks. Names at Proxmox are DNS names, so case does not count.
 *
 * The user's name is inserted as the characters that it has, after the pattern was taken apart: a user named
 * `*` matches a machine named `*` and no other. No regular expressions, so no pattern can take exponential time.
 */
export type NameMatcher = (machineName: string, userName: string) => boolean;

const anyCharacters = Symbol('*');
const anyOne = Symbol('?');
const user = Symbol('{user}');
type Token = string | typeof anyCharacters | typeof anyOne;

export function compileNamePattern(pattern: string): NameMatcher {
  const parts = pattern.split(/(\{user\}|[*?])/).flatMap((text): (Token | typeof user)[] => {
    if (text === '*') return [anyCharacters];
    if (text === '?') return [anyOne];
    if (text === '{user}') return [user];
    return folded(text);
  });
  return (machineName, userName) =>
    matches(
      parts.flatMap((part): Token[] => (part === user ? folded(userName) : [part])),
      folded(machineName),
    );
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
