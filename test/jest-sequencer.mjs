import TestSequencer from '@jest/test-sequencer';
import { startsPrograms } from './unit-tests.ts';

/** Runs files that start programs first: they take longest, and at the end one of them would keep all other workers waiting. */
export default class ProgramsFirst extends TestSequencer {
  sort(tests) {
    const known = new Map();
    const rank = ({ path }) => (startsPrograms(path, known) ? 0 : 1);
    return super.sort(tests).toSorted((a, b) => rank(a) - rank(b));
  }
}
