import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock } from '@porthole/shared/time/clock';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { systemRandom } from '@porthole/shared/crypto/random';
import { runProcess } from '@porthole/shared/process/run-process';
import { createStandalone } from '@porthole/standalone/standalone';
import { parseDelayProfile } from '../fakes/proxmox/delay-profiles.ts';
import { demoConfig, startDemoProxmox } from './demo.ts';
import { followConsoles } from './follow-consoles.ts';
import { startDemoMembers, type DemoMembers } from './members.ts';

/**
 * `npm run demo`: a simulated Proxmox and a standalone Porthole in front of it. Needs nothing but Node. With
 * `-- --proxmox real-life`, the simulated Proxmox takes as long as a real one. `-- --base-path /consoles` shows
 * Porthole as on a host that it shares.
 */
const { values } = parseArgs({
  options: { proxmox: { type: 'string' }, 'base-path': { type: 'string' } },
});
const port = Number(process.env['PORT'] ?? 8080);
const proxmox = await startDemoProxmox(parseDelayProfile(values.proxmox));
const config = await demoConfig(proxmox, port, values['base-path']);

const banner = `
  Porthole is open:  ${config.publicUrl.href.replace(/\/$/, '')}

    student      password  porthole    their own machines, and a noticeboard to look at
    instructor   password  porthole    the machines of the whole class, and the page of the class

  Open one machine in two tabs: they share one console at Proxmox. This terminal says so.
  Nine members of the class work at their machines, and two of them ask for help.
  The machines are simulated. Type "help" in one of them; "poweroff" ends it for a few seconds.
  Ctrl-C stops everything.

`;

let members: DemoMembers | undefined;

await runProcess(process, () => {
  const log = createLog({ service: 'demo', level: config.logLevel });
  const clock = systemClock;
  const registry = createRegistry();
  const standalone = createStandalone({
    config,
    clock,
    random: systemRandom,
    log,
    registry,
    pagesDir: fileURLToPath(new URL('../../services/broker/web/dist', import.meta.url)),
    onReady() {
      process.stdout.write(banner);
      members = startDemoMembers(`http://127.0.0.1:${port}`, values['base-path']);
    },
  });
  return {
    log,
    clock,
    registry,
    components: [
      { name: 'simulated Proxmox', stop: () => proxmox.close() },
      followConsoles(proxmox, clock, (line) => process.stdout.write(`${line}\n`)),
      ...standalone.components,
      { name: 'members of the class', stop: async () => members?.stop() },
    ],
  };
});
