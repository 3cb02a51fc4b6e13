import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** The compiled code of its programs is kept between runs, like that of other programs that tests start. */
const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;

async function bench(only: string, timeout: number): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=source', main, '--quick', '--only', only],
    { env: { PATH, NODE_COMPILE_CACHE }, timeout },
  );
  return stdout;
}

/** Asserts no figures, because other tests run at the same time. */
test('the bench reports every workload for Porthole and for the plain relay, shared screens and a wall', async () => {
  const stdout = await bench('bulk,paced,small,idle,shared,wall,broker,class', 110_000);
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

test('the bench compares a relay that records with one that does not', async () => {
  const stdout = await bench('recording', 80_000);
  const row = stdout.split('\n').find((line) => line.startsWith('| small: '));
  expect(row).toBeDefined();
  expect(row).not.toMatch(/NaN|Infinity/);
}, 90_000);
