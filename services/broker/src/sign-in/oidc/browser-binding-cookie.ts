import { cookieScope } from '../../http/cookie-scope.ts';
import { readSecretCookie } from '../../http/credentials.ts';

/**
 * Binds an authorization to the browser that started it, so that a link can't sign a user in to another account (login
 * CSRF, RFC 6749 section 10.12). It is separate from the sign-in cookie, which does not exist yet.
 */
export interface BrowserBindingCookie {
  read(header: string | undefined): string | undefined;
  /** Returns a value for Set-Cookie. */
  set(secret: string): string;
}

const maxAgeSeconds = 600;

export function createBrowserBindingCookie(publicUrl: URL): BrowserBindingCookie {
  const scope = cookieScope(publicUrl);
  const name = `${scope.prefix}porthole-sign-in`;
  const attributes = `${scope.attributes}; Max-Age=${maxAgeSeconds}`;
  return {
    read: (header) => readSecretCookie(header, name),
    set: (secret) => `${name}=${secret}; ${attributes}`,
  };
}
