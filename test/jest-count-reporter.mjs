import { mkdirSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Paths of the files with failures, one per line, for .ci/run. */
const failedFile = new URL('../.cache/failed-tests', import.meta.url);

/** Read by jest-sequencer.mjs. */
const durationsFile = new URL('durations.json', import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Ends a run with one plain line of counts, and lists the skipped tests, which a successful run would hide. With
 * RECORD_DURATIONS=1, a run of all tests updates durations.json.
 */
export default class CountReporter {
  onRunComplete(_contexts, results) {
    const skipped = results.numPendingTests + results.numTodoTests;
    for (const { testFilePath, testResults } of results.testResults) {
      const names = testResults.filter(({ status }) => status === 'pending').map(({ fullName }) => fullName);
      for (const name of names) process.stdout.write(`skipped: ${name} (${testFilePath})\n`);
    }
    const failed = results.testResults.filter((file) => file.numFailingTests > 0 || file.testExecError);
    mkdirSync(new URL('.', failedFile), { recursive: true });
    writeFileSync(failedFile, failed.map(({ testFilePath }) => `${testFilePath}\n`).join(''));
    if (process.env.RECORD_DURATIONS) {
      const durations = results.testResults
        .map(({ testFilePath, perfStats }) => [
          relative(root, testFilePath),
          Math.round(perfStats.runtime / 1000),
        ])
        .filter(([, seconds]) => seconds >= 2)
        .toSorted(([a], [b]) => (a < b ? -1 : 1));
      writeFileSync(durationsFile, `${JSON.stringify(Object.fromEntries(durations), null, 2)}\n`);
    }
    process.stdout.write(
      `${results.numPassedTests} passed, ${results.numFailedTests} failed, ${skipped} skipped\n`,
    );
  }
}
