/**
 * npm leaves platform packages (optionalDependencies such as @oxlint/binding-darwin-arm64) out of the lockfile when
 * it could not look them up while it wrote it, and `npm ci` then refuses that very lockfile on every machine.
 * This finds them and writes the entries that npm would have written, less the checksum.
 */
interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lockfile {
  packages: Record<string, LockedPackage>;
}

const systems: Readonly<Record<string, string>> = { windows: 'win32', win32: 'win32' };
const processors: Readonly<Record<string, string>> = {
  x64: 'x64',
  arm64: 'arm64',
  ia32: 'ia32',
  i386: 'ia32',
};
const otherProcessors = /(?:^|-)(arm|armv7|armv6|ppc64|riscv64|s390x|loong64|wasm32|mips64el)/;

/** The entries that are missing, by their place in `packages`. */
export function missingPlatformPackages(lockfile: Lockfile): Record<string, unknown> {
  const missing: Record<string, unknown> = {};
  for (const { optionalDependencies = {}, dev } of Object.values(lockfile.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const place = `node_modules/${name}`;
      if (lockfile.packages[place]) continue;
      missing[place] = { version, ...platformOf(name), ...(dev ? { dev } : {}), optional: true };
    }
  }
  return missing;
}

/** What a package's name says of where it runs: "binding-linux-arm64-musl". */
function platformOf(name: string): { os: string[]; cpu: string[]; libc?: string[] } {
  const words = name.replace(/^.*?(?:binding-|\/)/, '').split('-');
  const os = words.find((word) =>
    /^(android|darwin|freebsd|linux|openharmony|sunos|win32|windows|wasm32)$/.test(word),
  );
  const known = words.map((word) => processors[word]).find((cpu) => cpu !== undefined);
  const cpu = known ?? otherProcessors.exec(words.join('-'))?.[1]?.replace(/^armv\d$/, 'arm');
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : words.some((word) => word.startsWith('gnu'))
      ? 'glibc'
      : undefined;
  return {
    os: [systems[os ?? ''] ?? os ?? 'none'],
    cpu: [cpu ?? 'none'],
    ...(os === 'linux' && libc ? { libc: [libc] } : {}),
  };
}
