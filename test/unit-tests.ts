import { globSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Modules that start other programs. `needs.ts` says which program a test needs and where that is missing skips it. */
const startPrograms: ReadonlySet<string> = new Set([
  'node:child_process',
  'playwright-core',
  'puppeteer-core',
  resolve(root, 'test/needs.ts'),
]);

/**
 * Paths of the test files that start no other program, because none of the files that they import can, and that do not
 * take long.
 */
export function unitTests(): string[] {
  const known = new Map<string, boolean>();
  return globSync('test/**/*.test.ts', { cwd: root })
    .filter((path) => !takesLong(path))
    .map((path) => resolve(root, path))
    .filter((path) => !startsPrograms(path, known))
    .toSorted();
}

/**
 * Tests that take seconds: of random or hostile input, of the simulated Proxmox itself, of many consoles, and of what happens
 * after seconds.
 */
const longTests: readonly RegExp[] = [
  /^test\/(attack|fakes|relay\/close-codes)\//,
  /\/(hostile-[^/]+|[^/]+-(fuzz|model))\.test\.ts$/,
  /\/(concurrent-dials|properties|overlaps|owner-pattern)\.test\.ts$/,
  /\/(wall\/wall|shared-sessions|termination-orders|lost-storage|spool-killed|control\/control|terminal-ends)\.test\.ts$/,
];

/** Whether a file, by its path in the repository, takes too long for `npm run test:unit`. */
export function takesLong(path: string): boolean {
  return longTests.some((pattern) => pattern.test(path));
}

/** Whether a file imports one of those modules, itself or through files that it names by a relative path. */
export function startsPrograms(path: string, known = new Map<string, boolean>()): boolean {
  const before = known.get(path);
  if (before !== undefined) return before;
  known.set(path, false);
  const found = importsOf(path).some(
    (name) => startPrograms.has(name) || (name.endsWith('.ts') && startsPrograms(name, known)),
  );
  known.set(path, found);
  return found;
}

/** What a file imports at run time: paths of files, and names of packages. Types are not imported at run time. */
function importsOf(path: string): string[] {
  const source = readFileSync(path, 'utf8');
  const imports = source.matchAll(
    /^(?:import|export) (?!type )(?:[^;']*? from )?'([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...imports]
    .map(([, static_, dynamic]) => static_ ?? dynamic ?? '')
    .map((name) => (name.startsWith('.') ? resolve(dirname(path), name) : name));
}
