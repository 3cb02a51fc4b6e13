import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import TestSequencer from '@jest/test-sequencer';
import { startsPrograms } from './unit-tests.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Whole seconds, by path in the repository. Written by jest-count-reporter.mjs. Without files that take less than two. */
const durations = JSON.parse(readFileSync(new URL('durations.json', import.meta.url), 'utf8'));

/** Runs the files that take longest first, because at the end one of them would keep the other workers waiting. */
export default class LongestFirst extends TestSequencer {
  sort(tests) {
    const known = new Map();
    // A new file that starts a program could take long.
    const seconds = ({ path }) => durations[relative(root, path)] ?? (startsPrograms(path, known) ? 5 : 1);
    return super.sort(tests).toSorted((a, b) => seconds(b) - seconds(a));
  }
}
