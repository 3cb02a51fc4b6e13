/**
 * Where to go after signing in: console pages of ours, or the list. A link that signs somebody in and then sends them
 * elsewhere is what phishing is made of.
 */
export function safeReturnPath(wanted: unknown, publicUrl: URL): string {
  if (typeof wanted !== 'string' || !wanted.startsWith('/console/')) return '/';
  let url: URL;
  try {
    url = new URL(wanted, publicUrl);
  } catch {
    return '/';
  }
  const isOurs = url.origin === publicUrl.origin && /^\/console\/[^/]+\/[^/]+\/?$/.test(url.pathname);
  return isOurs ? url.pathname + url.search : '/';
}
