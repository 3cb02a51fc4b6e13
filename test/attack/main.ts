import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { exceeded, formatReport } from './soak-report.ts';
import { soak } from './soak.ts';

/**
 * `npm run attack`: the attack tests with ten times their rounds, and then ten minutes of soak.
 * `npm run attack -- soak [MINUTES]`: the soak alone.
 */
const roundsFactor = '10';
const [command, argument] = process.argv.slice(2);
const minutes = Number(argument ?? 10);
if ((command !== undefined && command !== 'soak') || !(minutes > 0)) {
  process.stderr.write('Usage: npm run attack [-- soak [MINUTES]]\n');
  process.exit(2);
}

let failed = false;
if (command === undefined) {
  const jest = fileURLToPath(new URL('../../node_modules/jest/bin/jest.js', import.meta.url));
  const flags = [
    '--experimental-vm-modules',
    '--no-compilation-cache',
    '--disable-warning=ExperimentalWarning',
  ];
  const { status } = spawnSync(
    process.execPath,
    [...flags, jest, '--config', 'test/jest.config.mjs', 'test/attack'],
    // oxlint-disable-next-line node/no-process-env
    { stdio: 'inherit', env: { ...process.env, PORTHOLE_ATTACK_ROUNDS: roundsFactor } },
  );
  failed = status !== 0;
}
const result = await soak(minutes * 60, (clients, secondsLeft) =>
  process.stderr.write(`${clients} clients so far, ${secondsLeft} s left\n`),
);
process.stdout.write(formatReport(result));
const more = exceeded(result);
if (more.length > 0) process.stderr.write(`Did not return to the start: ${more.join(', ')}\n`);
process.exit(failed || more.length > 0 ? 1 : 0);
