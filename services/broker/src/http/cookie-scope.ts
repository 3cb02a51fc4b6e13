import { basePathOf } from '@porthole/shared/http/base-path';

/** Prefix of a cookie's name, and the attributes that decide who gets it. */
export interface CookieScope {
  readonly prefix: '__Host-' | '__Secure-' | '';
  readonly attributes: string;
}

/**
 * Over HTTPS, names of cookies start with `__Host-`: browsers then accept them only from this host, with Secure and
 * Path=/, so that a neighbor under the same domain can't plant one (RFC 6265bis, section 4.1.3.2).
 *
 * Below a base path, cookies must not reach the other programs of the host, and `__Host-` requires Path=/. So they have
 * that path and the prefix `__Secure-`, with which a neighbor under the same domain could plant one over HTTPS. Plain
 * HTTP is allowed on localhost only, where browsers reject such names.
 */
export function cookieScope(publicUrl: URL): CookieScope {
  const basePath = basePathOf(publicUrl);
  // Lax, because links to consoles and the redirect of a sign-in provider must carry the cookies.
  const attributes = `Path=${basePath || '/'}; HttpOnly; SameSite=Lax`;
  if (publicUrl.protocol !== 'https:') return { prefix: '', attributes };
  return { prefix: basePath === '' ? '__Host-' : '__Secure-', attributes: `${attributes}; Secure` };
}
