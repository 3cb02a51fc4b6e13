const anyCharacters = Symbol('*');
const anyCharacter = Symbol('?');
export type GlobToken = string | typeof anyCharacters | typeof anyCharacter;

/** Parses a pattern in which `*` matches any characters and `?` one character. */
export function parseGlob(pattern: string): readonly GlobToken[] {
  return Array.from(pattern, (character) => {
    if (character === '*') return anyCharacters;
    return character === '?' ? anyCharacter : character;
  });
}

export const isAnyCharacters = (token: GlobToken | undefined) => token === anyCharacters;
export const isLiteral = (token: GlobToken | undefined): token is string => typeof token === 'string';

/**
 * Says whether a pattern matches all of a text. On a mismatch the last `*` takes one character more, so it needs at most
 * tokens × characters steps; a regular expression could need exponentially many.
 */
export function matchesGlob(tokens: readonly GlobToken[], text: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  let lastStar = -1;
  let retryAt = 0;
  while (at < text.length) {
    const wanted = tokens[token];
    if (wanted === anyCharacters) {
      lastStar = token++;
      retryAt = at;
    } else if (wanted === anyCharacter || (wanted !== undefined && wanted === text[at])) {
      token++;
      at++;
    } else if (lastStar >= 0) {
      token = lastStar + 1;
      at = ++retryAt;
    } else return false;
  }
  return tokens.slice(token).every(isAnyCharacters);
}
