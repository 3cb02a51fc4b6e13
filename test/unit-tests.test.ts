import { globSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startsPrograms, takesLong, unitTests } from './unit-tests.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const pathsOf = (pattern: string) => globSync(pattern, { cwd: root }).map((path) => `${root}${path}`);

describe('npm run test:unit', () => {
  const unit = unitTests();

  test('leaves out a test that starts a program, itself or through a helper', () => {
    expect(startsPrograms(`${root}test/e2e/demo.test.ts`)).toBe(true);
    expect(startsPrograms(`${root}test/web/lobby/machines-page.test.ts`)).toBe(true);
    expect(startsPrograms(`${root}test/shared/store/redis/cluster.test.ts`)).toBe(true);
    expect(startsPrograms(`${root}test/shared/time/clock.test.ts`)).toBe(false);
  });

  test('leaves out every test that names a program that it needs', () => {
    const needs = pathsOf('test/**/*.test.ts').filter((path) =>
      /\bdescribeW(ith|here)\(/.test(readFileSync(path, 'utf8')),
    );
    expect(needs.length).toBeGreaterThan(30);
    expect(needs.filter((path) => unit.includes(path))).toEqual([]);
  });

  test('leaves out attacks, long random or hostile input, and many consoles', () => {
    const long = globSync('test/**/*.test.ts', { cwd: root }).filter(takesLong);
    expect(long).toContain('test/attack/grants.test.ts');
    expect(long).toContain('test/relay/viewer/hostile-viewers.test.ts');
    expect(long).toContain('test/relay/stream/data-path-fuzz.test.ts');
    expect(long).toContain('test/relay/session/lifecycle-model.test.ts');
    expect(long).toContain('test/relay/upstream/concurrent-dials.test.ts');
    expect(long.length).toBeLessThan(70);
    expect(unit.filter((path) => long.includes(relative(root, path)))).toEqual([]);
  });

  test('runs all others, and more than half of the files', () => {
    const all = pathsOf('test/**/*.test.ts');
    expect(unit.length).toBeGreaterThan(all.length / 2);
    const others = all.filter((path) => !startsPrograms(path) && !takesLong(relative(root, path)));
    expect(others.filter((path) => !unit.includes(path))).toEqual([]);
  });

  test('misses no program that a service starts, because no service starts one', () => {
    const using = (module: RegExp) =>
      pathsOf('services/*/src/**/*.ts')
        .filter((path) => module.test(readFileSync(path, 'utf8')))
        .map((path) => relative(root, path))
        .toSorted();
    expect(using(/child_process/)).toEqual([]);
    // Its worker threads run modules of the relay.
    expect(using(/worker_threads/)).toEqual([
      'services/relay/src/picture/picture-worker.ts',
      'services/relay/src/recording/recorder-worker.ts',
      'services/relay/src/recording/recording-thread.ts',
      'services/relay/src/screen/picture-thread.ts',
    ]);
  });
});
