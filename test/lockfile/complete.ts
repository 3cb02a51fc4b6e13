import { readFileSync, writeFileSync } from 'node:fs';
import { withoutEngines } from './engines.ts';
import { missingPlatformPackages, type Lockfile } from './platform-packages.ts';

/** `npm run lockfile`: run it after every `npm install` that changes the lockfile. */
const path = new URL('../../package-lock.json', import.meta.url);
const lockfile = JSON.parse(readFileSync(path, 'utf8')) as Lockfile;
const missing = missingPlatformPackages(lockfile);
const entries = Object.entries({ ...withoutEngines(lockfile), ...missing });
lockfile.packages = Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) as Lockfile['packages'];
writeFileSync(path, `${JSON.stringify(lockfile, null, 2)}\n`);
console.log(`${Object.keys(missing).length} platform packages added`);
