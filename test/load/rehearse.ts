import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseDelayProfile } from '../fakes/proxmox/delay-profiles.ts';

/**
 * `npm run rehearse`: runs the upgrade rehearsal, the loss of relays, the losses of shared screens, the changes of a class and those of control
 * in full, and writes the figures to docs/upgrade-rehearsal.md, docs/sharing.md and docs/class.md. `npm test` runs them with
 * fewer consoles and writes no figures. With
 * `-- --proxmox real-life`, the simulated Proxmox takes as long as a real one, and the figures are only printed.
 */
const { values } = parseArgs({ options: { proxmox: { type: 'string' } } });
const delays = parseDelayProfile(values.proxmox);
const root = fileURLToPath(new URL('../../', import.meta.url));
const runs = [
  { file: 'test/load/rolling-upgrade', page: 'docs/upgrade-rehearsal.md', CONSOLES: '200', PRE_STOP: '10' },
  { file: 'test/load/relay-loss', page: 'docs/upgrade-rehearsal.md', CONSOLES: '300' },
  { file: 'test/load/shared-screen-loss', page: 'docs/sharing.md', CONSOLES: '60' },
  { file: 'test/load/class-pause', page: 'docs/class.md', CONSOLES: '300' },
  { file: 'test/relay/control/control', page: 'docs/class.md', CHANGES: '1000' },
];
for (const { file, page, ...env } of runs) {
  const { status } = spawnSync('npm', ['run', '--silent', 'test:only', '--', file], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      PROXMOX: delays,
      ...(delays === 'quick' ? { REPORT: `${root}${page}` } : {}),
      ...env,
    },
  });
  if (status !== 0) process.exit(status ?? 1);
}
