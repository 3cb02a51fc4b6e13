/**
 * The cookie that carries a sign-in. Over https its name begins with `__Host-`, so a browser takes it only from
 * this very host, with Secure and for the whole site: no neighbour under the same domain can plant one.
 * Over http, which is allowed on this computer alone, browsers take no such name.
 *
 * Without Max-Age the cookie goes with the browser window, as it should on the computers of a classroom.
 */
export interface LoginCookie {
  /** The value sent, if it looks like one of ours. */
  read(header: string | undefined): string | undefined;
  /** Values for Set-Cookie. */
  set(value: string): string;
  clear(): string;
}

const valuePattern = /^[A-Za-z0-9_-]{43}$/;

export function createLoginCookie(publicUrl: URL): LoginCookie {
  const secure = publicUrl.protocol === 'https:';
  const name = secure ? '__Host-porthole' : 'porthole';
  const attributes = `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  return {
    read(header) {
      const prefix = `${name}=`;
      const values = (header ?? '')
        .split(';')
        .map((pair) => pair.trim())
        .filter((pair) => pair.startsWith(prefix))
        .map((pair) => pair.slice(prefix.length));
      // Two of them means that somebody meddles; which one would be ours can't be told.
      const [value, ...more] = values;
      return value !== undefined && more.length === 0 && valuePattern.test(value) ? value : undefined;
    },
    set: (value) => `${name}=${value}; ${attributes}`,
    clear: () => `${name}=; ${attributes}; Max-Age=0`,
  };
}
