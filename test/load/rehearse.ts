import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * `npm run rehearse`: runs the upgrade rehearsal and the loss of relays in full, and writes the figures to
 * docs/upgrade-rehearsal.md. `npm test` runs both with fewer consoles and writes no figures.
 */
const root = fileURLToPath(new URL('../../', import.meta.url));
const runs = [
  { file: 'test/load/rolling-upgrade', CONSOLES: '200', PRE_STOP: '10' },
  { file: 'test/load/relay-loss', CONSOLES: '300' },
];
for (const { file, ...env } of runs) {
  const { status } = spawnSync('npm', ['run', '--silent', 'test:only', '--', file], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, REPORT: `${root}docs/upgrade-rehearsal.md`, ...env },
  });
  if (status !== 0) process.exit(status ?? 1);
}
