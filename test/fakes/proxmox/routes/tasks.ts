import { ApiError } from '../answers.ts';
import { ownerOf } from '../acl.ts';
import { parameterError } from '../parameters.ts';
import { Part, type ApiCall, type Route } from '../route.ts';
import { isUpid, type Task } from '../tasks.ts';

/** Status and log of a task: of the caller's own, or of any with Sys.Audit on the node (pve-manager API2/Tasks.pm). */
export const taskRoutes: Route[] = [
  {
    method: 'GET',
    path: '/nodes/{node}/tasks/{upid}/status',
    proxied: true,
    byDaemon: true,
    run(call) {
      const task = findTask(call);
      if (!task) throw parameterError({ upid: 'no such task' });
      verifyReader(call, task.user);
      const { upid, node, type, id, user, pid, pstart, starttime, exitstatus } = task;
      return {
        upid,
        node,
        type,
        id,
        user: ownerOf(user),
        ...(user.includes('!') && { tokenid: user.slice(user.indexOf('!') + 1) }),
        pid,
        pstart,
        starttime,
        status: exitstatus === undefined ? 'running' : 'stopped',
        ...(exitstatus !== undefined && { exitstatus }),
      };
    },
  },
  {
    method: 'GET',
    path: '/nodes/{node}/tasks/{upid}/log',
    proxied: true,
    byDaemon: true,
    schema: {
      start: { type: 'integer', optional: true, minimum: 0 },
      limit: { type: 'integer', optional: true, minimum: 0 },
      download: { type: 'boolean', optional: true },
    },
    run(call) {
      const task = findTask(call);
      verifyReader(call, userOf(call.parameters['upid'] ?? ''));
      const lines = (task ? logOf(task) : ['unable to open file - No such file or directory']).map(
        (t, index) => ({
          n: index + 1,
          t,
        }),
      );
      const { start = '0', limit = '50' } = call.parameters;
      // A limit of 0 is none.
      const end = Number(limit) === 0 ? lines.length : Number(start) + Number(limit);
      return new Part(lines.slice(Number(start), end), lines.length);
    },
  },
];

/** The task, if it ran on the node of the path. */
function findTask({ cluster, parameters: { node, upid = '' } }: ApiCall): Task | undefined {
  if (!isUpid(upid)) throw parameterError({ upid: 'unable to parse worker upid' });
  const task = cluster.tasks.find(upid);
  return task?.node === node ? task : undefined;
}

/** A user reads the tasks of their tokens, too. */
function verifyReader({ cluster, user, parameters: { node = '' } }: ApiCall, starter: string): void {
  const isOwn = user === starter || user === ownerOf(starter);
  if (!isOwn && !cluster.permissions.has(user, `/nodes/${node}`, 'Sys.Audit'))
    throw new ApiError(403, `Permission check failed (/nodes/${node}, Sys.Audit)`);
}

const userOf = (upid: string) => upid.split(':')[7] ?? '';

/** The tasks of the fake print nothing, so their log has only the last line that fork_worker adds. */
function logOf({ exitstatus }: Task): string[] {
  if (exitstatus === undefined) return ['no content'];
  return [exitstatus === 'OK' ? 'TASK OK' : `TASK ERROR: ${exitstatus}`];
}
