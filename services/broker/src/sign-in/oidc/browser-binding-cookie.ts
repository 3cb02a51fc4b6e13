/**
 * Binds a sign-in that is under way to the browser that began it, so that nobody can be signed in as somebody else by
 * a link. A cookie of its own, as whoever signs in has no sign-in yet.
 */
export interface BrowserBindingCookie {
  read(header: string | undefined): string | undefined;
  /** A value for Set-Cookie. */
  set(value: string): string;
}

const seconds = 600;
const valuePattern = /^[A-Za-z0-9_-]{43}$/;

export function createBrowserBindingCookie(publicUrl: URL): BrowserBindingCookie {
  const secure = publicUrl.protocol === 'https:';
  const name = secure ? '__Host-porthole-sign-in' : 'porthole-sign-in';
  return {
    read(header) {
      const values = (header ?? '')
        .split(';')
        .map((pair) => pair.trim().split('='))
        .filter(([key]) => key === name)
        .map(([, value = '']) => value);
      return values.length === 1 && valuePattern.test(values[0] ?? '') ? values[0] : undefined;
    },
    // Lax: it must come along when the issuer sends the browser back.
    set: (value) =>
      `${name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure ? '; Secure' : ''}`,
  };
}
