/** A minimal browser: keeps cookies for each host, follows redirects, and fills in the forms of the provider. */
export interface Walker {
  /** Follows redirects and fills in forms until a page outside the provider answers. */
  walk(
    start: string,
    as: { readonly sub: string; readonly cancel?: boolean },
  ): Promise<Response & { at: string }>;
  fetch(url: string, init?: RequestInit): Promise<Response>;
  cookies(origin: string): Map<string, string>;
}

export function createWalker(issuerUrl: string): Walker {
  const jars = new Map<string, Map<string, string>>();
  const cookies = (origin: string) => {
    let jar = jars.get(origin);
    if (!jar) jars.set(origin, (jar = new Map()));
    return jar;
  };

  async function go(url: string, init: RequestInit = {}): Promise<Response> {
    const { origin } = new URL(url);
    const jar = cookies(origin);
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: {
        ...(init.headers as Record<string, string> | undefined),
        cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
      },
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split('; ');
      const at = pair.indexOf('=');
      const gone = attributes.some((attribute) => /^(max-age=0|expires=thu, 01 jan 1970)/i.test(attribute));
      if (gone || pair.length === at + 1) jar.delete(pair.slice(0, at));
      else jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }

  return {
    cookies,
    fetch: go,
    async walk(start, { sub, cancel = false }) {
      let url = start;
      let response = await go(url);
      for (let step = 0; step < 30; step += 1) {
        const location = response.headers.get('location');
        if (location !== null) {
          url = new URL(location, url).href;
          // Back at the start, with nothing left to do at the provider.
          if (url.startsWith(new URL(start).origin) && !url.includes('/callback')) break;
          response = await go(url);
          continue;
        }
        const text = await response.text();
        const action = /<form[^>]*action="([^"]+)"/.exec(text)?.[1];
        if (!url.startsWith(issuerUrl) || action === undefined) break;
        const prompt = /name="prompt" value="([^"]+)"/.exec(text)?.[1] ?? '';
        const abort = /href="([^"]+\/abort)"/.exec(text)?.[1];
        if (cancel && abort !== undefined) {
          url = new URL(abort, url).href;
          response = await go(url);
          continue;
        }
        url = new URL(action, url).href;
        response = await go(url, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({ prompt, login: sub, password: 'anything' }).toString(),
        });
      }
      return Object.assign(response, { at: url });
    },
  };
}
