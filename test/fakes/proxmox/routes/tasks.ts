import { ApiError } from '../answers.ts';
import type { Route } from '../route.ts';

/** The status of a task: of the caller's own, or of any with Sys.Audit on the node. */
export const taskRoutes: Route[] = [
  {
    method: 'GET',
    path: '/nodes/{node}/tasks/{upid}/status',
    proxied: true,
    run({ cluster, user, parameters: { node = '', upid = '' } }) {
      const task = cluster.tasks.find(upid);
      if (!task || task.node !== node) throw new ApiError(500, 'no such task');
      if (task.user !== user && !cluster.permissions.has(user, `/nodes/${node}`, 'Sys.Audit')) {
        throw new ApiError(403, `Permission check failed (/nodes/${node}, Sys.Audit)`);
      }
      const { type, id, pid, pstart, starttime, exitstatus } = task;
      return {
        upid,
        node,
        type,
        id,
        user,
        pid,
        pstart,
        starttime,
        status: exitstatus === undefined ? 'running' : 'stopped',
        ...(exitstatus !== undefined && { exitstatus }),
      };
    },
  },
];
