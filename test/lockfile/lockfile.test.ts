import { readFileSync } from 'node:fs';
import { missingPlatformPackages, type Lockfile } from './platform-packages.ts';

const read = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
const lockfile = read('package-lock.json') as Lockfile;
const { allowScripts } = read('package.json') as { allowScripts: Readonly<Record<string, boolean>> };
const dependencies = Object.entries(lockfile.packages).filter(([path]) => path.startsWith('node_modules/'));
const pathsWhere = (matches: (entry: Lockfile['packages'][string]) => boolean) =>
  dependencies.filter(([, entry]) => matches(entry)).map(([path]) => path);

// `npm run lockfile` mends what the first two tests find.
test('the lockfile holds every platform package, without which npm ci refuses it', () => {
  expect(Object.keys(missingPlatformPackages(lockfile))).toEqual([]);
});

test('the lockfile holds no engines, about which npm ci would warn under Node 20', () => {
  expect(pathsWhere(({ engines }) => engines !== undefined)).toEqual([]);
});

test('the lockfile names no registry', () => {
  expect(pathsWhere(({ resolved }) => resolved?.includes('://') === true)).toEqual([]);
});

test('package.json says of every package with an install script whether it may run, without which npm ci warns', () => {
  const packages = pathsWhere(({ hasInstallScript }) => hasInstallScript === true);
  expect(packages.map((path) => path.replace(/^.*node_modules\//, ''))).toEqual(Object.keys(allowScripts));
});
