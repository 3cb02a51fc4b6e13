/** The path of `publicUrl`, without a slash at its end: "" at the root of a host, or such as "/consoles". */
export function basePathOf({ pathname }: Pick<URL, 'pathname'>): string {
  return pathname.replace(/\/$/, '');
}

/** A URL below `publicUrl`. `path` begins with a slash. */
export function urlBelow(publicUrl: URL, path: string): URL {
  return new URL(basePathOf(publicUrl) + path, publicUrl);
}

/**
 * The path without the base path. Unchanged if it does not begin with it, because some proxies remove it. The schema
 * refuses base paths with which the two could be confused.
 */
export function withoutBasePath(basePath: string, path: string): string {
  return path === basePath || path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : path;
}
