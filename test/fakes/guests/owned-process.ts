import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { endWithUs } from '../end-with-us.ts';

/** A child process that ends with this process. */
export interface OwnedProcess {
  readonly running: boolean;
  /** Resolves when the process has ended. Never rejects. */
  readonly exited: Promise<void>;
  /** Its output on standard error, for error messages. */
  complaints(): string;
  /** Its file descriptor 3. */
  readonly report: Readable;
  end(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** `environment` is added to that of this process. */
export function spawnOwned(
  command: string,
  args: string[],
  environment: Readonly<Record<string, string>> = {},
): OwnedProcess {
  const env = { ...process.env, ...environment };
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'], env });
  const { stderr: errors } = child;
  const report = child.stdio[3];
  // 'pipe' creates a socket, although Node's types give it one direction.
  if (!(report instanceof Socket)) throw new Error('the child process has no descriptor 3');
  let running = true;
  let text = '';
  errors?.setEncoding('utf8');
  errors?.on('data', (chunk: string) => {
    text = (text + chunk).slice(-4000);
  });

  endWithUs(child);
  const exited = new Promise<void>((resolve) => {
    const over = () => {
      running = false;
      resolve();
    };
    child.once('exit', over);
    child.once('error', (error) => {
      text += error.message;
      over();
    });
  });

  return {
    get running() {
      return running;
    },
    exited,
    complaints: () => text.trim(),
    report,
    end: (signal) => void child.kill(signal),
  };
}
