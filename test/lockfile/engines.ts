import type { Lockfile } from './platform-packages.ts';

/**
 * The packages without the Node versions that they ask for. npm compares these with the Node that runs npm, which may be 20,
 * and warns. Everything else here runs under Node 24, which the lockfile itself brings as the package `node`.
 */
export function withoutEngines({ packages }: Lockfile): Lockfile['packages'] {
  const entries = Object.entries(packages).map(([path, entry]) => {
    if (!path.startsWith('node_modules/')) return [path, entry] as const;
    const { engines: _, ...rest } = entry;
    return [path, rest] as const;
  });
  return Object.fromEntries(entries);
}
