import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** All parts but `recording`, for which the time does not suffice beside other tests. */
const only = 'bulk,paced,small,idle,shared,wall,broker,class';

/** Asserts no figures, because other tests run at the same time. */
test('the bench reports every workload for Porthole and for the plain relay, shared screens and a wall', async () => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=source', main, '--quick', '--only', only],
    {
      env: { PATH: process.env['PATH'] ?? '' },
      timeout: 110_000,
    },
  );
  for (const title of ['bulk', 'paced', 'small', '40 sessions']) {
    const section = stdout.split('### ').find((one) => one.startsWith(title)) ?? '';
    for (const relay of ['plain ws', 'Porthole']) {
      const row = section.split('\n').find((line) => line.startsWith(`| ${relay} |`));
      expect(row).toBeDefined();
      expect(row).not.toContain('NaN');
    }
  }
  // One console, however many viewers.
  expect(stdout).toMatch(/^\| shared, 3 viewers \|/m);
  expect(stdout).toContain('- Calls of vncproxy: 1. Consoles at the machine: 1.');
  expect(stdout).toContain('A wall of ');
}, 120_000);
