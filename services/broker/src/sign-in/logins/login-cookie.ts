import { cookieScope } from '../../http/cookie-scope.ts';
import { readSecretCookie } from '../../http/credentials.ts';

/**
 * The cookie of a sign-in. Its name starts with the prefix of `cookieScope`.
 *
 * Without Max-Age the cookie ends with the browser session, which suits shared computers.
 */
export interface LoginCookie {
  /** Returns the secret, or undefined if the header has no well-formed one. */
  read(header: string | undefined): string | undefined;
  /** Returns a value for Set-Cookie. */
  set(secret: string): string;
  clear(): string;
}

export function createLoginCookie(publicUrl: URL): LoginCookie {
  const scope = cookieScope(publicUrl);
  const name = `${scope.prefix}porthole`;
  const { attributes } = scope;
  return {
    read: (header) => readSecretCookie(header, name),
    set: (secret) => `${name}=${secret}; ${attributes}`,
    clear: () => `${name}=; ${attributes}; Max-Age=0`,
  };
}
