import { PortholeError } from '@porthole/shared/errors';
import type { ConsoleKind } from '@porthole/shared/grant/claims';
import { termproxyResponse, vncproxyResponse } from '@porthole/shared/proxmox/responses';
import { createMachineHandshake } from '../rfb/machine-handshake.ts';
import type { Handshake } from '../stream/handshake.ts';
import { createTermproxyHandshake, loginLine } from '../terminal/termproxy-handshake.ts';
import { readConsoleDevices } from './console-devices.ts';
import type { LocatedMachine } from './machine.ts';

/** Access to a console that Proxmox has opened. Valid for one connection to the same host within 10 s. */
export interface ConsoleTicket {
  readonly port: number;
  readonly ticket: string;
  /** Sent first; a VNC server sends first itself, so a screen has none. */
  readonly initialMessage?: Buffer;
  readonly handshake: Handshake;
  /** The peer may send without end after the handshake, so its link is paused until the next handler takes over. */
  readonly pauseAfterHandshake?: true;
  /** The error if Proxmox closes the connection before the handshake is over. */
  closedError(receivedAnything: boolean): PortholeError;
}

type RequestTicket = (machine: LocatedMachine, signal: AbortSignal) => Promise<ConsoleTicket>;

/** Requests a console from Proxmox, by vncproxy or termproxy. */
export const requestTicket: Readonly<Record<ConsoleKind, RequestTicket>> = {
  screen: requestScreenTicket,
  terminal: requestTerminalTicket,
};

async function requestScreenTicket(machine: LocatedMachine, signal: AbortSignal): Promise<ConsoleTicket> {
  const { data } = await machine.cluster.client.post({
    path: `${machine.path}/vncproxy`,
    schema: vncproxyResponse,
    host: machine.host,
    form: { websocket: '1' },
    signal,
  });
  return {
    port: data.port,
    ticket: data.ticket,
    // Since April 2026, the password is a field of its own. Before, it was the start of the ticket.
    handshake: createMachineHandshake(data.password ?? data.ticket.slice(0, 8)),
    closedError: (receivedAnything) =>
      new PortholeError('console_lost', {
        detail: receivedAnything ? 'closed during VNC authentication' : 'closed without a byte',
      }),
  };
}

async function requestTerminalTicket(machine: LocatedMachine, signal: AbortSignal): Promise<ConsoleTicket> {
  if (machine.path.includes('/qemu/')) await requireSerialPort(machine, signal);
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
    initialMessage: loginLine(data.user, data.ticket),
    handshake: createTermproxyHandshake(),
    pauseAfterHandshake: true,
    // termproxy refuses by closing the connection. Before pve-xtermjs used /access/vncticket (November 2025), it
    // refused every API token, because /access/ticket knows only users.
    closedError: () =>
      new PortholeError('terminal_refused', {
        detail: byToken
          ? 'termproxy closed the connection: Proxmox may be too old for terminals with API tokens'
          : 'termproxy closed the connection',
      }),
  };
}

/** Without a serial port, termproxy would open a terminal, write one line, and end. */
async function requireSerialPort(machine: LocatedMachine, signal: AbortSignal): Promise<void> {
  const { serialPort } = await readConsoleDevices(machine, signal);
  if (!serialPort) throw new PortholeError('no_terminal', { detail: 'no serial port of type socket' });
}
