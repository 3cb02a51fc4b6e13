import { readFileSync, writeFileSync } from 'node:fs';
import { missingPlatformPackages, type Lockfile } from './platform-packages.ts';

/** `npm run lockfile`: to be run after every `npm install` that changed the lockfile. */
const path = new URL('../../package-lock.json', import.meta.url);
const lockfile = JSON.parse(readFileSync(path, 'utf8')) as Lockfile;
const missing = missingPlatformPackages(lockfile);
const entries = Object.entries({ ...lockfile.packages, ...missing });
lockfile.packages = Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) as Lockfile['packages'];
writeFileSync(path, `${JSON.stringify(lockfile, null, 2)}\n`);
console.log(`${Object.keys(missing).length} platform packages added`);
