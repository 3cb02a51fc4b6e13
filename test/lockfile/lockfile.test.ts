import { readFileSync } from 'node:fs';
import { missingPlatformPackages, type Lockfile } from './platform-packages.ts';

const lockfile = JSON.parse(
  readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'),
) as Lockfile;

test('the lockfile holds every platform package, or npm ci would refuse it (npm run lockfile adds them)', () => {
  expect(Object.keys(missingPlatformPackages(lockfile))).toEqual([]);
});

test('the lockfile names no registry', () => {
  const addresses = Object.values(lockfile.packages as Record<string, { resolved?: string }>)
    .map(({ resolved }) => resolved)
    .filter((resolved) => resolved?.includes('://'));
  expect(addresses).toEqual([]);
});
