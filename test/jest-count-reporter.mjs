import { mkdirSync, writeFileSync } from 'node:fs';

/** Paths of the files with failures, one per line, for .ci/run. */
const failedFile = new URL('../.cache/failed-tests', import.meta.url);

/** Ends a run with one plain line of counts, and lists the skipped tests, which a successful run would hide. */
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
    process.stdout.write(
      `${results.numPassedTests} passed, ${results.numFailedTests} failed, ${skipped} skipped\n`,
    );
  }
}
