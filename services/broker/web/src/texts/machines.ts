import type { Problem } from '../api.ts';
import { sentence } from './status-message.ts';

export const typeLabels = {
  qemu: 'Virtual machine',
  lxc: 'Container',
  node: 'Node shell',
} as const;

const statusLabels: Readonly<Record<string, string>> = {
  running: 'Running',
  stopped: 'Off',
  paused: 'Paused',
  suspended: 'Asleep',
  prelaunch: 'Starting',
  unknown: 'Unknown',
};

/** A status of Proxmox that this page does not know is shown as it is, with a capital. */
export function statusLabel(status: string): string {
  return statusLabels[status] ?? status.charAt(0).toUpperCase() + status.slice(1);
}

interface HasStatus {
  readonly name: string;
  readonly status: string;
}

export function countText(machines: readonly HasStatus[]): string {
  if (machines.length === 0) return '';
  const running = machines.filter((machine) => machine.status === 'running').length;
  return `${machines.length} ${machines.length === 1 ? 'machine' : 'machines'}, ${running} running`;
}

/** Shown above a list that is out of date or incomplete. */
export function staleText(list: { readonly staleSeconds?: number; readonly incomplete?: boolean }): string {
  const missing = list.incomplete ? ' Some machines are missing from this list.' : '';
  if (list.staleSeconds === undefined)
    return `Part of Proxmox is not responding. Porthole keeps trying.${missing}`;
  return `Proxmox is not responding. This list is from ${ago(list.staleSeconds)}. Porthole keeps trying.${missing}`;
}

function ago(seconds: number): string {
  if (seconds < 60) return seconds === 1 ? '1 second ago' : `${seconds} seconds ago`;
  const minutes = Math.floor(seconds / 60);
  return minutes === 1 ? '1 minute ago' : `${minutes} minutes ago`;
}

/** Shown above a list that could not be refreshed. Names the part that failed. */
export function listProblem({ code }: Pick<Problem, 'code'>): string {
  const culprit = code.startsWith('proxmox_') ? 'Proxmox' : 'Porthole';
  return `${culprit} is not responding. This list may be out of date. Porthole keeps trying.`;
}

/** Shown in place of a list that could not be loaded at all. */
export function listMissingText({ code, title }: Pick<Problem, 'code' | 'title'>): string {
  const what = code.startsWith('proxmox_')
    ? (sentence(title ?? '') ?? 'Proxmox is not responding.')
    : 'Porthole is not responding.';
  return `${what} Porthole keeps trying. You can also try again now.`;
}

/** For screen readers. When a whole class starts, one sentence is enough. */
export function announceChanges(machines: readonly HasStatus[]): string {
  if (machines.length > 3) return `${machines.length} machines changed their status.`;
  return machines
    .map((machine) => `${machine.name} is now ${statusLabel(machine.status).toLowerCase()}.`)
    .join(' ');
}
