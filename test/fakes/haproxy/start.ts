import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, systemClock } from '@porthole/shared/clock';
import { listens, type Nginx } from '../nginx/start.ts';

/** What can be done with any front. */
export type Front = Nginx;

/** A real HAProxy on loopback, as a master with workers: that is how Debian and the ingress controllers run it. */
export async function startHaproxy(options: {
  readonly port: number;
  readonly config: string;
}): Promise<Front> {
  const folder = await mkdtemp(join(tmpdir(), 'porthole-haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, options.config);
  const child = spawn('haproxy', ['-W', '-f', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Debian keeps it where only root's PATH leads.
    env: { PATH: `${process.env['PATH']}:/usr/sbin` },
  });
  let said = '';
  child.stderr.on('data', (chunk) => (said = (said + String(chunk)).slice(-4000)));
  const deadline = Date.now() + 15_000;
  while (!(await listens(options.port))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`haproxy does not start:\n${said}`);
    await sleep(systemClock, 20);
  }
  return {
    async reload(config) {
      if (config !== undefined) await writeFile(file, config);
      child.kill('SIGUSR2');
    },
    async stop() {
      if (child.exitCode === null) {
        const gone = once(child, 'exit');
        child.kill('SIGTERM');
        await gone;
      }
      await rm(folder, { recursive: true });
    },
  };
}
