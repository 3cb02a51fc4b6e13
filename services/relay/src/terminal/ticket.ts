import { PortholeError } from '@porthole/shared/errors';
import { configResponse, termproxyResponse } from '@porthole/shared/proxmox/responses';
import type { Entry } from '../upstream/ticket.ts';
import type { LocatedMachine } from '../upstream/machine.ts';
import { createTerminalLogin, loginLine } from './login.ts';

/** Asks Proxmox to open a terminal. */
export async function askTerminal(machine: LocatedMachine, signal: AbortSignal): Promise<Entry> {
  if (machine.path.includes('/qemu/')) await demandSerialPort(machine, signal);
  const { data } = await machine.cluster.client.post({
    path: `${machine.path}/termproxy`,
    schema: termproxyResponse,
    host: machine.host,
    form: {},
    signal,
  });
  const byToken = data.user.includes('!');
  return {
    port: data.port,
    ticket: data.ticket,
    hello: loginLine(data.user, data.ticket),
    handshake: createTerminalLogin(),
    talksOn: true,
    // termproxy says no by hanging up. Before pve-xtermjs asked /access/vncticket (November 2025), it did so to every
    // token: /access/ticket knows users only.
    gone: () =>
      new PortholeError('terminal_refused', {
        detail: byToken
          ? 'termproxy hung up on an API token: Proxmox may be too old for terminals with tokens'
          : 'termproxy hung up',
      }),
  };
}

/** Without a serial port termproxy opens a terminal, writes one line into it, and ends: nothing to understand. */
async function demandSerialPort({ cluster, path, host }: LocatedMachine, signal: AbortSignal): Promise<void> {
  const { data } = await cluster.client.get({
    path: `${path}/config?current=1`,
    schema: configResponse,
    host,
    signal,
  });
  if (![data.serial0, data.serial1, data.serial2, data.serial3].includes('socket'))
    throw new PortholeError('no_terminal', { detail: 'no serial port of type socket' });
}
