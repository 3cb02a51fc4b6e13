import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
import { startDemoExam, type DemoExam } from './exam.ts';
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
const recordings = await mkdtemp(join(tmpdir(), 'porthole-demo-'));
const config = await demoConfig(proxmox, port, { basePath: values['base-path'], recordings });

const banner = `
  Porthole is open:  ${config.publicUrl.href.replace(/\/$/, '')}

    student      password  porthole    their own machines, and a noticeboard to look at
    instructor   password  porthole    the machines of the whole class, the page of the class, and recordings

  Open one machine in two tabs: they share one console at Proxmox. This terminal says so.
  Nine members of the class work at their machines, and two of them ask for help.
  The machine student-exam is recorded. Mira Novak takes the exam now; the instructor can play that in some seconds.
  The machines are simulated. Type "help" in one of them; "poweroff" ends it for a few seconds.
  Ctrl-C stops everything.

`;

let members: DemoMembers | undefined;
let exam: DemoExam | undefined;

function startUsers(): void {
  const origin = `http://127.0.0.1:${port}`;
  exam = startDemoExam(origin, values['base-path']);
  const write = (line: string) => process.stdout.write(`  ${line}\n`);
  exam.done.then(
    (consoles) => consoles > 0 && write(`${consoles} recordings of Mira Novak are ready to play.`),
    (error: unknown) => write(`The exam of Mira Novak could not be recorded: ${String(error)}`),
  );
  members = startDemoMembers(origin, values['base-path']);
}

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
      startUsers();
    },
  });
  return {
    log,
    clock,
    registry,
    components: [
      { name: 'recordings of the demo', stop: () => rm(recordings, { recursive: true, force: true }) },
      { name: 'simulated Proxmox', stop: () => proxmox.close() },
      followConsoles(proxmox, clock, (line) => process.stdout.write(`${line}\n`)),
      ...standalone.components,
      { name: 'members of the class', stop: async () => members?.stop() },
      { name: 'exam', stop: async () => exam?.stop() },
    ],
  };
});
