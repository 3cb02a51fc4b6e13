import { readdirSync, readFileSync } from 'node:fs';

/**
 * CPU time of a process and its children, summed over all threads (schedstat, in nanoseconds), and their resident
 * memory. Linux only.
 */
export function usageOf(pid: number): { readonly cpuSeconds: number; readonly rssBytes: number } {
  let nanoseconds = 0;
  let rssBytes = 0;
  for (const one of withChildren(pid)) {
    for (const task of readdirSync(`/proc/${one}/task`))
      nanoseconds += Number(read(`/proc/${one}/task/${task}/schedstat`).split(' ')[0]);
    rssBytes += Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${one}/status`))?.[1] ?? 0) * 1024;
  }
  return { cpuSeconds: nanoseconds / 1e9, rssBytes };
}

function withChildren(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(withChildren)];
}

/** CPU time of the thread in which a process began: of Node, the one that runs JavaScript. */
export function mainThreadSeconds(pid: number): number {
  return Number(read(`/proc/${pid}/task/${pid}/schedstat`).split(' ')[0]) / 1e9;
}

/** Time that the same thread was ready to run while other programs had the cores. */
export function mainThreadWaitMs(pid: number): number {
  return Number(read(`/proc/${pid}/task/${pid}/schedstat`).split(' ')[1]) / 1e6;
}

/** CPU time of the threads of a process, in seconds, by name. Node's pool of threads does its work with files. */
export function threadSeconds(pid: number): ReadonlyMap<string, number> {
  const seconds = new Map<string, number>();
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const name = read(`/proc/${pid}/task/${task}/comm`).trim();
    const nanoseconds = Number(read(`/proc/${pid}/task/${task}/schedstat`).split(' ')[0]);
    seconds.set(name, (seconds.get(name) ?? 0) + nanoseconds / 1e9);
  }
  return seconds;
}

/** Returns '' if the file is gone: a thread may end after it was listed. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
