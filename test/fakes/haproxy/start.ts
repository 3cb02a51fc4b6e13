import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, systemClock } from '@porthole/shared/time/clock';
import type { Nginx } from '../nginx/start.ts';

/** A reverse proxy in front of Porthole. */
export type Front = Nginx;

/** A real HAProxy on loopback. It runs as a master with workers, as in Debian and in ingress controllers. */
export async function startHaproxy(options: { readonly config: string }): Promise<Front> {
  const folder = await mkdtemp(join(tmpdir(), 'porthole-haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, options.config);
  const child = spawn('haproxy', ['-W', '-f', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Debian installs it in a directory that only root has in PATH.
    env: { PATH: `${process.env['PATH']}:/usr/sbin` },
  });
  let said = '';
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  const times = (words: string) => said.split(words).length - 1;

  /** Waits until the output contains the words that often. Until then, calls `again` every half second. */
  async function says(words: string, often: number, again = () => {}): Promise<void> {
    const deadline = Date.now() + 15_000;
    for (let round = 0; times(words) < often; round++) {
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`haproxy does not say "${words}":\n${said.slice(-4000)}`);
      if (round % 25 === 0) again();
      await sleep(systemClock, 20);
    }
  }

  await says('Loading success', 1);
  return {
    async reload(config) {
      if (config !== undefined) await writeFile(file, config);
      const loaded = times('Loading success');
      // The master re-executes itself at each reload. A signal that arrives meanwhile is lost.
      await says('Reloading HAProxy', times('Reloading HAProxy') + 1, () => child.kill('SIGUSR2'));
      await says('Loading success', loaded + 1);
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
