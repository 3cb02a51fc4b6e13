import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, systemClock } from '@porthole/shared/time/clock';

export interface Nginx {
  /** Reloads the configuration, or loads another one, as an ingress controller does after each change. */
  reload(config?: string): Promise<void>;
  stop(): Promise<void>;
}

/** A real nginx on loopback. `http` is the content of its http block, `config` a complete configuration. */
export async function startNginx(
  options: { readonly port: number } & ({ readonly http: string } | { readonly config: string }),
): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'porthole-nginx-'));
  // If root starts nginx, its workers run as another user, and buffer responses in this folder.
  await chmod(folder, 0o755);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join('\n    ');
  const file = join(folder, 'nginx.conf');
  const write = (config: string) =>
    writeFile(
      file,
      `daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
${config.replace('http {', `http {\n    access_log off;\n    ${paths}`)}`,
    );
  const own = (http: string) =>
    `worker_processes 1;\nevents { worker_connections 256; }\nhttp {\n    ${http}\n}\n`;
  await write('config' in options ? options.config : own(options.http));
  const child = spawn('nginx', ['-p', folder, '-c', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Debian installs it in a directory that only root has in PATH.
    env: { PATH: `${process.env['PATH']}:/usr/sbin` },
  });
  let said = '';
  child.stderr.on('data', (chunk) => (said = (said + String(chunk)).slice(-4000)));
  const deadline = Date.now() + 15_000;
  while (!(await listens(options.port))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`nginx does not start:\n${said}`);
    await sleep(systemClock, 20);
  }
  return {
    async reload(config) {
      if (config !== undefined) await write(config);
      child.kill('SIGHUP');
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

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
