import { ApiError } from '../answers.ts';
import { createLoginShell } from '../login-shell.ts';
import { createMachine, type Machine } from '../machines.ts';
import { nodeOf, type ApiCall, type Route } from '../route.ts';
import { createTerminalShell } from '../terminal-shell.ts';
import { openConsole, startTerminal, verifyConsoleTicket } from './consoles.ts';

const permission = { path: '/nodes/{node}', privilege: 'Sys.Console' };

/** The shell of a node (pve-manager API2/Nodes.pm). Calls are not proxied to the node in the path. */
export const nodeShellRoutes: Route[] = [
  {
    method: 'POST',
    path: '/nodes/{node}/termproxy',
    schema: { cmd: { type: 'string', optional: true }, 'cmd-opts': { type: 'string', optional: true } },
    permission,
    byDaemon: true,
    run(call) {
      const { cmd = 'login' } = call.parameters;
      if (cmd !== 'login' && call.user !== 'root@pam')
        throw new ApiError(403, `Permission check failed (user != root@pam)`);
      return openConsole(call, { type: 'vncshell', id: '' }, (port) =>
        startTerminal(call, machineOfNode(call), `/nodes/${call.parameters['node']}`, port),
      );
    },
  },
  {
    method: 'GET',
    path: '/nodes/{node}/vncwebsocket',
    schema: {
      port: { type: 'integer', minimum: 5900, maximum: 5999 },
      vncticket: { type: 'string', maxLength: 512 },
    },
    permission,
    run: (call) => verifyConsoleTicket(call, `/nodes/${call.parameters['node']}`),
  },
];

/** The program that termproxy runs on a node: a shell for root@pam, a login prompt for other users. */
function machineOfNode(call: ApiCall): Machine {
  const { cluster, user } = call;
  const { id, name } = nodeOf(call);
  return createMachine(
    {
      vmid: id,
      node: name,
      name,
      terminal: true,
      shell: user === 'root@pam' ? createTerminalShell : createLoginShell,
    },
    () => cluster.clock.now(),
  );
}
