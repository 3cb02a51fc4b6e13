import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
// @ts-expect-error Jest loads it, so that it is JavaScript without types.
import LongestFirst from './jest-sequencer.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const durations = JSON.parse(readFileSync(`${root}test/durations.json`, 'utf8')) as Record<string, number>;

test('the files that take longest run first, then unknown files that start programs', () => {
  const context = { config: { cache: false }, hasteFS: { getSize: () => 1 } };
  const paths = [
    'test/shared/time/clock.test.ts',
    'test/e2e/tampering.test.ts',
    'test/images/staged-files.test.ts',
    'test/web/browser.test.ts',
  ];
  const sorted = new LongestFirst({}).sort(paths.map((path) => ({ path: `${root}${path}`, context })));
  const recorded = ['test/e2e/tampering.test.ts', 'test/images/staged-files.test.ts'];
  expect(sorted.map(({ path }: { path: string }) => path.slice(root.length))).toEqual([
    ...recorded.sort((a, b) => durations[b]! - durations[a]!),
    'test/web/browser.test.ts',
    'test/shared/time/clock.test.ts',
  ]);
});

test('most of the recorded durations are of files that exist', () => {
  const recorded = Object.keys(durations);
  const gone = recorded.filter((path) => !existsSync(`${root}${path}`));
  const remedy = 'RECORD_DURATIONS=1 npm test updates test/durations.json.';
  expect({ remedy, tooMany: gone.length > recorded.length / 10 ? gone : [] }).toEqual({
    remedy,
    tooMany: [],
  });
});
