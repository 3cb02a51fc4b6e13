import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, systemClock } from '@porthole/shared/clock';
import type { Nginx } from '../nginx/start.ts';

/** What can be done with any front. */
export type Front = Nginx;

/** A real HAProxy on loopback, as a master with workers: that is how Debian and the ingress controllers run it. */
export async function startHaproxy(options: { readonly config: string }): Promise<Front> {
  const folder = await mkdtemp(join(tmpdir(), 'porthole-haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, options.config);
  const child = spawn('haproxy', ['-W', '-f', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Debian keeps it where only root's PATH leads.
    env: { PATH: `${process.env['PATH']}:/usr/sbin` },
  });
  let said = '';
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  const loads = () => said.split('Loading success').length - 1;

  /** A signal that comes while the master still loads is lost; it says when it is done. */
  async function loaded(times: number): Promise<void> {
    const deadline = Date.now() + 15_000;
    while (loads() < times) {
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`haproxy does not load its configuration:\n${said.slice(-4000)}`);
      await sleep(systemClock, 20);
    }
  }

  await loaded(1);
  return {
    async reload(config) {
      if (config !== undefined) await writeFile(file, config);
      const before = loads();
      child.kill('SIGUSR2');
      await loaded(before + 1);
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
