import { configResponse } from '@porthole/shared/proxmox/responses';
import type { LocatedMachine } from './machine.ts';

/** The devices through which Proxmox can open a console of a virtual machine. */
export interface ConsoleDevices {
  /** False with `vga: none`, usual with a passed-through GPU: then QEMU runs without a VNC server. */
  readonly display: boolean;
  /** A serial port that termproxy can open. One that is a device of the host is none. */
  readonly serialPort: boolean;
}

/** Reads the devices that the running virtual machine was started with. */
export async function readConsoleDevices(
  { cluster, path, host }: Pick<LocatedMachine, 'cluster' | 'path' | 'host'>,
  signal: AbortSignal,
): Promise<ConsoleDevices> {
  const { data } = await cluster.client.get({
    path: `${path}/config?current=1`,
    schema: configResponse,
    host,
    signal,
  });
  return {
    display: displayType(data.vga ?? '') !== 'none',
    serialPort: [data.serial0, data.serial1, data.serial2, data.serial3].includes('socket'),
  };
}

/** The `type` of a property string such as "none", "std,memory=32" or "memory=32,type=std" (pve-common JSONSchema.pm). */
function displayType(vga: string): string | undefined {
  return vga
    .split(',')
    .map((property) => (property.startsWith('type=') ? property.slice('type='.length) : property))
    .find((property) => !property.includes('='));
}
