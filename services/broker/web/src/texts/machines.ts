import type { Problem } from '../api.ts';
import { agoText } from '../language/formats.ts';
import { t } from '../language/t.ts';
import { problemTitle } from './server-texts.ts';

const statuses = ['running', 'stopped', 'paused', 'suspended', 'prelaunch', 'unknown'] as const;

/** A status of Proxmox that this page does not know is shown as it is, with a capital. */
export function statusLabel(status: string): string {
  const known = statuses.find((each) => each === status);
  return known ? t(`status.${known}`) : status.charAt(0).toUpperCase() + status.slice(1);
}

interface HasStatus {
  readonly name: string;
  readonly status: string;
}

export function countText(machines: readonly HasStatus[]): string {
  if (machines.length === 0) return '';
  const running = machines.filter((machine) => machine.status === 'running').length;
  return t('machines.count', { count: machines.length, running });
}

/** Shown above a list that is out of date or incomplete. */
export function staleText(list: { readonly staleSeconds?: number; readonly incomplete?: boolean }): string {
  const missing = list.incomplete ? ` ${t('machines.incomplete')}` : '';
  if (list.staleSeconds === undefined) return `${t('machines.partSilent')}${missing}`;
  return `${t('machines.listFrom', { ago: agoText(list.staleSeconds) })}${missing}`;
}

/** Shown above a list that could not be refreshed. Names the part that failed. */
export function listProblem({ code }: Pick<Problem, 'code'>): string {
  return t('list.outdated', { what: code.startsWith('proxmox_') ? 'Proxmox' : 'Porthole' });
}

/** Shown in place of a list that could not be loaded at all. */
export function listMissingText(problem: Pick<Problem, 'code' | 'title'>): string {
  const what = problem.code.startsWith('proxmox_')
    ? (problemTitle(problem) ?? t('proxmoxSilent'))
    : t('portholeSilent');
  return `${what} ${t('list.keepsTrying')}`;
}

/** For screen readers. When a whole class starts, one sentence is enough. */
export function announceChanges(machines: readonly HasStatus[]): string {
  if (machines.length > 3) return t('machines.changed', { count: machines.length });
  return machines.map(changeText).join(' ');
}

function changeText({ name, status }: HasStatus): string {
  const known = statuses.find((each) => each === status);
  return known ? t(`statusNow.${known}`, { name }) : t('statusNow', { name, status });
}
