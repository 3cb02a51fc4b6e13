import { eventually } from '../../eventually.ts';
import type { GuestOptions } from '../../fakes/proxmox/machines.ts';
import type { ConsoleClient } from '../console-client.ts';
import { useRelayRigs, type RelayRig, type RigOptions } from '../rig.ts';

/** The part of a grant for the container's terminal. */
export const container = { vmid: 200, type: 'lxc', machineName: 'box', kind: 'terminal' } as const;
export const prompt = 'root@box:~# ';

export const guests: readonly GuestOptions[] = [
  { vmid: 200, node: 'pve1', type: 'lxc', name: 'box' },
  { vmid: 201, node: 'pve1', type: 'lxc', name: 'off', running: false },
  { vmid: 300, node: 'pve1', type: 'qemu', name: 'serial', terminal: true },
  { vmid: 301, node: 'pve1', type: 'qemu', name: 'no-serial' },
];

/** Like `useRelayRigs`, with the guests above. */
export function useTerminalRigs(): (options?: RigOptions) => Promise<RelayRig> {
  const start = useRelayRigs();
  return (options = {}) => start({ ...options, proxmox: { guests, ...options.proxmox } });
}

/** Opens a terminal and waits for its prompt. */
export async function openTerminal(rig: RelayRig, overrides: Parameters<RelayRig['open']>[0] = {}) {
  const client = await rig.open({ ...container, ...overrides });
  await waitForOutput(client, prompt);
  return client;
}

/** What the terminal wrote, without the control messages. */
export const output = (client: ConsoleClient) =>
  client
    .received()
    .toString()
    .replaceAll(/\{"type":[^}]*\}/g, '');
export const waitForOutput = (client: ConsoleClient, text: string) =>
  eventually(`the output has ${text}`, () => output(client).includes(text));
export const send = (client: ConsoleClient, text: string) => client.socket.send(Buffer.from(text));
export const typeText = (client: ConsoleClient, text: string) =>
  send(client, `0:${Buffer.byteLength(text)}:${text}`);
