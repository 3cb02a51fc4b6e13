import { readSecretCookie } from '../../http/credentials.ts';

/**
 * The cookie of a sign-in. Over HTTPS its name starts with `__Host-`: browsers then accept it only from this host, with
 * Secure and Path=/, so that a neighbor under the same domain can't plant one (RFC 6265bis, section 4.1.3.2). Plain
 * HTTP is allowed on localhost only, where browsers reject such names.
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
  const secure = publicUrl.protocol === 'https:';
  const name = secure ? '__Host-porthole' : 'porthole';
  const attributes = `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  return {
    read: (header) => readSecretCookie(header, name),
    set: (secret) => `${name}=${secret}; ${attributes}`,
    clear: () => `${name}=; ${attributes}; Max-Age=0`,
  };
}
