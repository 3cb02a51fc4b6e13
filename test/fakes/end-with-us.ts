import type { ChildProcess } from 'node:child_process';

const children = new Set<ChildProcess>();

/** Kills a child process when this process ends. All children share one listener, because a test can have dozens. */
export function endWithUs(child: ChildProcess): void {
  // It did not start, so it emits no 'exit'.
  if (child.pid === undefined) return;
  if (children.size === 0) process.once('exit', killAll);
  children.add(child);
  child.once('exit', () => {
    children.delete(child);
    if (children.size === 0) process.off('exit', killAll);
  });
}

function killAll(): void {
  for (const child of children) child.kill('SIGKILL');
}
