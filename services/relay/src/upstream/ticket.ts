import { PortholeError } from '@porthole/shared/errors';
import type { ConsoleKind } from '@porthole/shared/grant/claims';
import type { Handshake } from '../rfb/handshake.ts';
import { createMachineHandshake } from '../rfb/machine-handshake.ts';
import { askTerminal } from '../terminal/ticket.ts';
import { requestConsole, type LocatedMachine } from './machine.ts';

/** The way into a console that Proxmox has opened. Good for one connection to the same host within 10 s. */
export interface Entry {
  readonly port: number;
  readonly ticket: string;
  /** What is said before anything is heard; a VNC server is the first to speak. */
  readonly hello?: Buffer;
  readonly handshake: Handshake;
  /** It says more without being asked: its link is paused until somebody takes that. */
  readonly talksOn?: true;
  /** What it means that Proxmox hung up before the handshake was over. */
  gone(sentAnything: boolean): PortholeError;
}

export const askEntry: Readonly<
  Record<ConsoleKind, (machine: LocatedMachine, signal: AbortSignal) => Promise<Entry>>
> = { screen: askScreen, terminal: askTerminal };

async function askScreen(machine: LocatedMachine, signal: AbortSignal): Promise<Entry> {
  const { port, ticket, password } = await requestConsole(machine, signal);
  return {
    port,
    ticket,
    handshake: createMachineHandshake(password),
    gone: (sentAnything) =>
      new PortholeError('console_lost', {
        detail: sentAnything ? 'closed during VNC authentication' : 'closed without a byte',
      }),
  };
}
