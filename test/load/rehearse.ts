import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseDelayProfile } from '../fakes/proxmox/delay-profiles.ts';

/**
 * `npm run rehearse`: runs the upgrade rehearsal, the loss of relays and the losses of shared screens in full, and writes
 * the figures to docs/upgrade-rehearsal.md and docs/sharing.md. `npm test` runs both with fewer consoles and writes no figures. With
 * `-- --proxmox real-life`, the simulated Proxmox takes as long as a real one, and the figures are only printed.
 */
const { values } = parseArgs({ options: { proxmox: { type: 'string' } } });
const delays = parseDelayProfile(values.proxmox);
const root = fileURLToPath(new URL('../../', import.meta.url));
const runs = [
  { file: 'test/load/rolling-upgrade', page: 'upgrade-rehearsal', CONSOLES: '200', PRE_STOP: '10' },
  { file: 'test/load/relay-loss', page: 'upgrade-rehearsal', CONSOLES: '300' },
  { file: 'test/load/shared-screen-loss', page: 'sharing', CONSOLES: '60' },
];
for (const { file, page, ...env } of runs) {
  const { status } = spawnSync('npm', ['run', '--silent', 'test:only', '--', file], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      PROXMOX: delays,
      ...(delays === 'quick' ? { REPORT: `${root}docs/${page}.md` } : {}),
      ...env,
    },
  });
  if (status !== 0) process.exit(status ?? 1);
}
