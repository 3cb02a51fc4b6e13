import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, systemClock } from '@porthole/shared/time/clock';
import { freePort } from '../free-port.ts';
import { endWithUs } from './end-with-us.ts';

/** A real Redis on its own loopback port. By default it keeps no data when it ends. */
export interface RedisServer {
  /** Includes the password, if there is one. */
  readonly url: string;
  readonly port: number;
  /** Ends the process and removes its files. Idempotent. */
  stop(): Promise<void>;
  /** Ends the process like a crash. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  restart(): Promise<void>;
  /** Suspends the process: connections stay open, but get no answers. */
  pause(): void;
  resume(): void;
}

export interface RedisServerOptions {
  readonly password?: string;
  /** Default: a free port. */
  readonly port?: number;
  /** Additional lines for the configuration. */
  readonly config?: readonly string[];
}

export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { password, config = [] } = options;
  const port = options.port ?? (await freePort());
  const directory = await mkdtemp(join(tmpdir(), 'porthole-redis-'));
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${directory}`,
    'save ""',
    'appendonly no',
    ...(password === undefined ? [] : [`requirepass "${password}"`]),
    ...config,
  ];
  let child: ChildProcess | undefined;

  async function begin(): Promise<void> {
    // Read from standard input, so that `ps` does not show a password.
    const started = spawn('redis-server', ['-'], { stdio: ['pipe', 'pipe', 'pipe'] });
    child = started;
    endWithUs(started);
    let output = '';
    started.stdout.on('data', (chunk) => (output = (output + String(chunk)).slice(-4000)));
    started.stderr.on('data', (chunk) => (output = (output + String(chunk)).slice(-4000)));
    started.stdin.end(lines.join('\n') + '\n');
    const deadline = Date.now() + 15_000;
    while (!(await answers(port, password))) {
      if (started.exitCode !== null || Date.now() > deadline) {
        throw new Error(`redis-server does not answer on port ${port}:\n${output}`);
      }
      await sleep(systemClock, 10);
    }
  }

  async function kill(): Promise<void> {
    const running = child;
    child = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    running.kill('SIGKILL');
    await once(running, 'exit');
  }

  await begin();
  return {
    url: `redis://${password === undefined ? '' : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`,
    port,
    kill,
    restart: begin,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    async stop() {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Whether it answers PING, sent as an inline command. */
function answers(port: number, password: string | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`${password === undefined ? '' : `AUTH "${password}"\r\n`}PING\r\n`),
    );
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('data', (chunk) => {
      heard += chunk.toString();
      if (heard.includes('+PONG')) finish(true);
    });
    socket.setTimeout(1000, () => finish(false));
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
  });
}
