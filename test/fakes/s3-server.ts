import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, systemClock } from '@porthole/shared/time/clock';
import { freePort } from '../free-port.ts';
import { endWithUs } from './end-with-us.ts';

/** A real S3 server, versitygw, on its own loopback port. Its objects are files in a temporary directory. */
export interface S3Server {
  readonly endpoint: URL;
  readonly port: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bucket: string;
  /** Ends the process and removes its files. Idempotent. */
  stop(): Promise<void>;
  /** Ends the process like a crash. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with the same objects. */
  restart(): Promise<void>;
}

export async function startS3Server(): Promise<S3Server> {
  const port = await freePort();
  const directory = await mkdtemp(join(tmpdir(), 'porthole-s3-'));
  const bucket = 'recordings';
  const [accessKeyId, secretAccessKey] = ['test-access', 'test-secret-0123456789'];
  await mkdir(join(directory, 'objects', bucket), { recursive: true });
  await mkdir(join(directory, 'metadata'));
  let child: ChildProcess | undefined;

  async function begin(): Promise<void> {
    const options = ['--port', `127.0.0.1:${port}`, '--keep-alive', '--quiet'];
    // Metadata in files, because not every file system has extended attributes.
    const backend = ['posix', '--sidecar', join(directory, 'metadata'), join(directory, 'objects')];
    const started = spawn('versitygw', [...options, ...backend], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ROOT_ACCESS_KEY_ID: accessKeyId,
        ROOT_SECRET_ACCESS_KEY: secretAccessKey,
        VGW_REGION: 'us-east-1',
      },
    });
    child = started;
    endWithUs(started);
    let output = '';
    started.stdout.on('data', (chunk) => (output = (output + String(chunk)).slice(-4000)));
    started.stderr.on('data', (chunk) => (output = (output + String(chunk)).slice(-4000)));
    const deadline = Date.now() + 15_000;
    while (!(await accepts(port))) {
      if (started.exitCode !== null || Date.now() > deadline)
        throw new Error(`versitygw does not answer on port ${port}:\n${output}`);
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
    endpoint: new URL(`http://127.0.0.1:${port}`),
    port,
    accessKeyId,
    secretAccessKey,
    bucket,
    kill,
    restart: begin,
    async stop() {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => finish(true));
    socket.on('error', () => finish(false));
  });
}
