interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly engines?: unknown;
  readonly hasInstallScript?: boolean;
  readonly resolved?: string;
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

/**
 * Entries that the lockfile lacks, by their path in `packages`, as npm would write them but without a checksum.
 * npm leaves platform packages (optionalDependencies such as @oxlint/binding-darwin-arm64) out when it can't look them up
 * while it writes the lockfile, and then `npm ci` refuses that lockfile on every machine.
 */
export function missingPlatformPackages(lockfile: Lockfile): Record<string, unknown> {
  const missing: Record<string, unknown> = {};
  for (const { optionalDependencies = {}, dev } of Object.values(lockfile.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const path = `node_modules/${name}`;
      if (lockfile.packages[path]) continue;
      missing[path] = { version, ...platformOf(name), ...(dev ? { dev } : {}), optional: true };
    }
  }
  return missing;
}

/** The platform in a package's name, such as "binding-linux-arm64-musl". */
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
