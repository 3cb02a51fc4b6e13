import type { Clock } from '@porthole/shared/time/clock';
import type { Random } from './random.ts';

export interface Task {
  readonly upid: string;
  readonly node: string;
  readonly type: string;
  readonly id: string;
  /** Who started it: a user, or a token with its full ID. */
  readonly user: string;
  readonly pid: number;
  readonly pstart: number;
  readonly starttime: number;
  /** Undefined while it runs, then 'OK' or the text of the error. */
  exitstatus: string | undefined;
}

/** Worker tasks and their UPIDs: `UPID:node:pid:pstart:time:type:id:user:`, numbers as eight hex digits. */
export interface Tasks {
  start(task: { node: string; type: string; id: string; user: string }, work: Promise<void>): string;
  find(upid: string): Task | undefined;
}

const pattern =
  /^UPID:[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?:[0-9A-Fa-f]{8}:[0-9A-Fa-f]{8,9}:[0-9A-Fa-f]{8}:[^:\s]+:[^:\s]*:[^:\s]+:$/;

/** pve-common Tools.pm, upid_decode. */
export const isUpid = (text: string) => pattern.test(text);

export function createTasks({ clock, random }: { clock: Clock; random: Random }): Tasks {
  const tasks = new Map<string, Task>();
  return {
    start({ node, type, id, user }, work) {
      const pid = 1000 + Math.floor(random() * 4_000_000);
      const pstart = Math.floor(random() * 0xffffffff);
      const starttime = Math.floor(clock.now() / 1000);
      const upid = `UPID:${node}:${hex(pid)}:${hex(pstart)}:${hex(starttime)}:${type}:${id}:${user}:`;
      const task: Task = { upid, node, type, id, user, pid, pstart, starttime, exitstatus: undefined };
      tasks.set(upid, task);
      work.then(
        () => (task.exitstatus = 'OK'),
        (error: unknown) => (task.exitstatus = error instanceof Error ? error.message : String(error)),
      );
      return upid;
    },
    find: (upid) => tasks.get(upid),
  };
}

const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, '0');
