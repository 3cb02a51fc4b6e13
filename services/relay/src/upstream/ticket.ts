import { PortholeError } from '@porthole/shared/errors';
import type { ConsoleKind } from '@porthole/shared/grant/claims';
import { configResponse, termproxyResponse, vncproxyResponse } from '@porthole/shared/proxmox/responses';
import { createMachineHandshake } from '../rfb/machine-handshake.ts';
import type { Handshake } from '../stream/handshake.ts';
import { createTerminalLogin, loginLine } from '../terminal/login.ts';
import type { LocatedMachine } from './machine.ts';

/** Access to a console that Proxmox has opened. Good for one connection to the same host within 10 s. */
export interface ConsoleTicket {
  readonly port: number;
  readonly ticket: string;
  /** Sent before anything is received; a VNC server speaks first. */
  readonly initialMessage?: Buffer;
  readonly handshake: Handshake;
  /** The peer sends more at once: its link is paused after the handshake until the next handler takes it. */
  readonly pauseAfterHandshake?: true;
  /** What it means that Proxmox closed the connection before the handshake was over. */
  closedError(receivedAnything: boolean): PortholeError;
}

type RequestTicket = (machine: LocatedMachine, signal: AbortSignal) => Promise<ConsoleTicket>;

/** Asks Proxmox to open a console, by vncproxy or termproxy. */
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
    // Since April 2026 the password is a field of its own; before, it was the beginning of the ticket.
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
    handshake: createTerminalLogin(),
    pauseAfterHandshake: true,
    // termproxy refuses by closing. Before pve-xtermjs asked /access/vncticket (November 2025), it refused every token,
    // because /access/ticket knows only users.
    closedError: () =>
      new PortholeError('terminal_refused', {
        detail: byToken
          ? 'termproxy closed on an API token: Proxmox may be too old for terminals with tokens'
          : 'termproxy closed the connection',
      }),
  };
}

/** Without a serial port, termproxy opens a terminal, writes one line into it, and ends. */
async function requireSerialPort(
  { cluster, path, host }: LocatedMachine,
  signal: AbortSignal,
): Promise<void> {
  const { data } = await cluster.client.get({
    path: `${path}/config?current=1`,
    schema: configResponse,
    host,
    signal,
  });
  if (![data.serial0, data.serial1, data.serial2, data.serial3].includes('socket'))
    throw new PortholeError('no_terminal', { detail: 'no serial port of type socket' });
}
