import { fileURLToPath } from 'node:url';

const strip = fileURLToPath(new URL('./jest-strip-types.mjs', import.meta.url));

// Programs that tests start inherit this, and start in half the time.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('../.cache/compiled', import.meta.url));

/** Native ESM. Node strips the types, so line numbers in stack traces are those of the source. */
export default {
  rootDir: '..',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': strip },
  runtime: '<rootDir>/test/jest-runtime.mjs',
  testEnvironment: '<rootDir>/test/jest-environment.mjs',
  globalTeardown: '<rootDir>/test/jest-global-teardown.mjs',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'import', 'default'] },
  testTimeout: 60_000,
  // One more than the two cores of CI, because the tests that start programs mostly wait for them.
  maxWorkers: 3,
  testSequencer: '<rootDir>/test/jest-sequencer.mjs',
  reporters: ['default', '<rootDir>/test/jest-count-reporter.mjs'],
  coverageProvider: 'v8',
  coverageReporters: ['text-summary', 'json-summary', 'lcovonly'],
  coverageDirectory: '<rootDir>/coverage',
  collectCoverageFrom: ['services/*/src/**/*.ts', '!services/*/src/main.ts'],
};
