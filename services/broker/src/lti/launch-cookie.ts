import { cookieScope } from '../http/cookie-scope.ts';
import { readSecretCookie } from '../http/credentials.ts';

/** Binds a launch to the browser that began it, if the platform does not store the secret for it. */
export interface LaunchCookie {
  read(header: string | undefined): string | undefined;
  /** Returns a value for Set-Cookie. */
  set(secret: string): string;
}

const maxAgeSeconds = 600;

/**
 * The platform posts its message from another site, often inside of a frame, so the cookie is SameSite=None. Partitioned:
 * browsers that block third-party cookies keep it for Porthole's frames on the pages of this one platform. Browsers
 * accept Secure for plain HTTP on localhost, but not the prefixes of names.
 */
export function createLaunchCookie(publicUrl: URL): LaunchCookie {
  const scope = cookieScope(publicUrl);
  const name = `${scope.prefix}porthole-lti`;
  const attributes = `${scope.attributes.replace(/; SameSite=.*$/, '')}; Secure; SameSite=None; Partitioned; Max-Age=${maxAgeSeconds}`;
  return {
    read: (header) => readSecretCookie(header, name),
    set: (secret) => `${name}=${secret}; ${attributes}`,
  };
}
