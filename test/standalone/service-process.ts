import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A program in its own process, started like `npm start` does. */
export interface ServiceProcess {
  readonly pid: number;
  /** All output so far. */
  output(): string;
  /** Resolves when the output contains the text. Rejects if the process ends before. */
  printed(text: string): Promise<void>;
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): void;
  readonly exited: Promise<number | null>;
}

export function startProcess(
  main: string,
  args: readonly string[],
  env: Record<string, string>,
  input = '',
): ServiceProcess {
  const compileCache = process.env['NODE_COMPILE_CACHE'];
  return startCommand([process.execPath, '--conditions=source', main, ...args], {
    // They start in half the time. Not for copies of a program, whose paths differ each time.
    env: { ...(compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache }), ...env },
    input,
  });
}

/** Starts any command, by default in the folder of the repository. */
export function startCommand(
  [command = '', ...args]: readonly string[],
  options: { readonly env: Record<string, string>; readonly cwd?: string; readonly input?: string },
): ServiceProcess {
  const child = spawn(command, args, {
    cwd: options.cwd ?? root,
    env: { PATH: process.env['PATH'] ?? '', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  const listeners = new Set<() => void>();
  const take = (chunk: Buffer) => {
    output += chunk.toString();
    for (const listener of listeners) listener();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  child.stdin.end(options.input ?? '');
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    pid: child.pid ?? 0,
    output: () => output,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (output.includes(text)) resolve();
        };
        listeners.add(look);
        look();
        void exited.then((code) => reject(new Error(`It ended with ${code} and printed:\n${output}`)));
      }),
    signal: (name) => void child.kill(name),
    exited,
  };
}
