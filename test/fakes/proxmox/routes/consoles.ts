import { ApiError } from '../answers.ts';
import { drawDelay } from '../delay.ts';
import type { Machine } from '../machines.ts';
import { isTrue, type Schema } from '../parameters.ts';
import { qmVncproxy } from '../qm-vncproxy.ts';
import { machineOf, nodeOf, type ApiCall, type Route } from '../route.ts';
import { termproxy } from '../termproxy.ts';
import { vncterm } from '../vncterm.ts';

const permission = { path: '/vms/{vmid}', privilege: 'VM.Console' };
const side = (maximum: number) => ({ type: 'integer', optional: true, minimum: 16, maximum }) as const;
const flag = { type: 'boolean', optional: true } as const;

/**
 * Opening consoles. These calls are not proxied to the node in the path: the port is on the node that received the
 * call, and the WebSocket must be opened there.
 */
export const consoleRoutes: Route[] = (['qemu', 'lxc'] as const).flatMap((type): Route[] => [
  {
    method: 'POST',
    path: `/nodes/{node}/${type}/{vmid}/vncproxy`,
    schema: vncproxySchema(type),
    permission,
    byDaemon: true,
    run(call) {
      // Before the configuration, the address of the node is looked up for a container.
      if (type === 'lxc') nodeOf(call);
      const machine = machineOf(call, type);
      return openConsole(call, taskOf(machine), (port) => startVnc(call, machine, port));
    },
  },
  {
    method: 'POST',
    path: `/nodes/{node}/${type}/{vmid}/termproxy`,
    schema:
      type === 'qemu'
        ? { serial: { type: 'string', optional: true, values: ['serial0', 'serial1', 'serial2', 'serial3'] } }
        : {},
    permission,
    byDaemon: true,
    run(call) {
      const machine = machineOf(call, type);
      return openConsole(call, taskOf(machine), (port) =>
        startTerminal(call, machine, `/vms/${machine.vmid}`, port),
      );
    },
  },
  {
    method: 'GET',
    path: `/nodes/{node}/${type}/{vmid}/vncwebsocket`,
    schema: {
      port: { type: 'integer', minimum: 5900, maximum: 5999 },
      vncticket: { type: 'string', maxLength: 512 },
    },
    permission,
    run(call) {
      const answer = verifyConsoleTicket(call, `/vms/${call.parameters['vmid']}`);
      if (type === 'qemu') machineOf(call, type); // the call for containers checks only the ticket
      return answer;
    },
  },
]);

function vncproxySchema(type: 'qemu' | 'lxc'): Schema {
  if (type === 'qemu') return { websocket: flag, 'generate-password': flag };
  return { websocket: flag, width: side(4096), height: side(2160) };
}

/** Whether the ticket is for this path, this port and the caller. */
export function verifyConsoleTicket({ cluster, user, parameters }: ApiCall, path: string) {
  const { vncticket = '', port = '' } = parameters;
  const verdict = cluster.tickets.verifyVnc(vncticket, user, path, Number(port));
  if (verdict === 'longer than key')
    throw new ApiError(500, 'Signature longer than key at Ticket.pm line 83.');
  if (verdict === 'invalid') throw new ApiError(401, 'permission denied - invalid PVEVNC ticket');
  return { port };
}

const taskOf = ({ vmid }: Machine) => ({ type: 'vncproxy', id: String(vmid) });

/** Each opening occupies one worker of pvedaemon until its port listens. */
export async function openConsole(
  call: ApiCall,
  { type, id }: { readonly type: string; readonly id: string },
  start: (port: number) => Readonly<Record<string, unknown>>,
) {
  const { cluster, receiver, user } = call;
  return receiver.pvedaemon.run(async () => {
    await cluster.sleep(drawDelay(cluster.settings.vncproxyMs, cluster.random));
    const port = receiver.ports.reserve();
    if (port === null) throw new ApiError(500, 'unable to find free port (5900-6000)');
    const task = { node: receiver.name, type, id, user };
    const upid = cluster.tasks.start(task, new Promise(() => {}));
    return { user, ...start(port), port: String(port), upid }; // an integer by its schema, a string in fact
  });
}

function startVnc(call: ApiCall, machine: Machine, port: number) {
  const { cluster, receiver, user, parameters } = call;
  const { mode, listenerWindowMs } = cluster.settings;
  const { vmid, type } = machine;
  const websocket = isTrue(parameters['websocket']);
  const bare = cluster.secret(cluster.tickets.vnc(user, `/vms/${vmid}`, port));

  const hardened = mode === 'new' && (type === 'qemu' || websocket);
  const generated =
    hardened || isTrue(parameters['generate-password'])
      ? cluster.secret(randomPassword(cluster.random))
      : null;
  const ticket = hardened ? cluster.secret(`${generated}:${bare}`) : bare;
  // Without a generated password, the first 8 characters of the ticket are used, which are always "PVEVNC:6".
  const password = generated ?? bare.slice(0, 8);

  if (type === 'qemu') {
    const viaSsh = machine.node !== receiver.name;
    const program = qmVncproxy({ cluster, machine, node: machine.node, viaSsh, password });
    receiver.ports.listen(port, { vmid, program, windowMs: listenerWindowMs });
  } else {
    const program = vncterm({ cluster, machine, password });
    receiver.ports.listen(port, {
      vmid,
      program,
      windowMs: 2 * listenerWindowMs,
      lingerMs: listenerWindowMs,
    });
  }
  return { ticket, cert: cluster.caPem, ...(generated !== null && { password: generated }) };
}

export function startTerminal(call: ApiCall, machine: Machine, path: string, port: number) {
  const { cluster, receiver, user } = call;
  const ticket = cluster.secret(cluster.tickets.vnc(user, path, port));
  const program = termproxy({ cluster, machine, path, user, ticket, port });
  receiver.ports.listen(port, { vmid: machine.vmid, program, windowMs: cluster.settings.listenerWindowMs });
  return { ticket };
}

/** Eight characters from `!` to `` ` ``, so `"`, `%`, `&`, `+` and `;` do occur. */
function randomPassword(random: () => number): string {
  return String.fromCharCode(...Array.from({ length: 8 }, () => 33 + Math.floor(random() * 64)));
}
