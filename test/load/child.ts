import { fork, spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../fakes/end-with-us.ts';

/** A process of the bench. It answers one request at a time. */
export interface Child {
  readonly pid: number;
  request<T>(request: Record<string, unknown>): Promise<T>;
  stop(): Promise<void>;
}

/** Starts a program of the bench. Resolves when the program is ready, with its message in `ready`. */
export async function startChild(
  program: string,
  args: readonly string[] = [],
  flags: readonly string[] = [],
): Promise<Child & { ready: unknown }> {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), [...args], {
    execArgv: ['--conditions=source', ...flags],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const answer = <A>() =>
    new Promise<A>((resolve, reject) => {
      const onExit = (code: number | null) => reject(new Error(`${program} ended with ${code}`));
      child.once('exit', onExit);
      child.once('message', (message) => {
        child.off('exit', onExit);
        resolve(message as A);
      });
    });
  const ready = await answer<unknown>();
  return {
    ready,
    pid: pidOf(child),
    request<A>(request: Record<string, unknown>) {
      child.send(request);
      return answer<A>();
    },
    stop: () => stopped(child),
  };
}

/** Starts another program, which must run in the foreground. */
export function startForeign(command: string, args: readonly string[]): Pick<Child, 'pid' | 'stop'> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  // Unlike the bench's own programs, it does not notice the end of the bench.
  endWithUs(child);
  return { pid: pidOf(child), stop: () => stopped(child) };
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('A process of the bench did not start.');
  return child.pid;
}

function stopped(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), 2000).unref();
  });
}

/** The child's side: reports that it is ready, then answers each request. */
export function serveParent(ready: unknown, answer: (request: never) => unknown): void {
  process.on('message', (request) => {
    void Promise.resolve(answer(request as never)).then((result) => process.send?.(result ?? {}));
  });
  process.on('disconnect', () => process.exit(0));
  process.on('SIGTERM', () => process.exit(0));
  process.send?.(ready);
}
