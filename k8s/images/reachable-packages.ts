/** An entry of package-lock.json, by its path, such as `node_modules/pino`. */
export interface LockedPackage {
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}
type LockedPackages = Readonly<Record<string, LockedPackage>>;

/**
 * Paths of the packages that some packages need, themselves included, as Node.js finds them. `dependenciesOf` can leave out
 * dependencies of a package.
 */
export function reachablePackages(
  packages: LockedPackages,
  from: readonly string[],
  dependenciesOf: (path: string) => readonly string[] = (path) => allDependencies(packages[path]),
): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [...from];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const name of dependenciesOf(path)) {
      const found = resolvePackage(packages, path, name);
      if (found !== undefined) waiting.push(found);
    }
  }
  return reached;
}

export function allDependencies(entry: LockedPackage | undefined): readonly string[] {
  return Object.keys({
    ...entry?.dependencies,
    ...entry?.optionalDependencies,
    ...entry?.peerDependencies,
  });
}

/** Looks in the node_modules of the package and of its parents. */
function resolvePackage(packages: LockedPackages, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[path]) return path;
    if (folder === '') return undefined;
  }
}
