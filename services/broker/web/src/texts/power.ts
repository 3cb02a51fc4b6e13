import type { PowerAction, Problem } from '../api.ts';
import { sentence, type StatusMessage } from './status-message.ts';

export const powerLabels = {
  start: 'Start',
  shutdown: 'Shut down',
  reboot: 'Reboot',
  reset: 'Reset',
  stop: 'Stop',
} as const satisfies Record<PowerAction, string>;

export const powerHints = {
  start: 'Turns the machine on.',
  shutdown: 'Asks the operating system to shut down.',
  reboot: 'Asks the operating system to restart.',
  reset: 'Restarts the machine immediately. Unsaved work is lost.',
  stop: 'Turns the machine off immediately. Unsaved work is lost.',
} as const satisfies Record<PowerAction, string>;

/** Shown while the action is in progress. */
export const powerProgress = {
  start: 'Starting…',
  shutdown: 'Shutting down…',
  reboot: 'Rebooting…',
  reset: 'Resetting…',
  stop: 'Stopping…',
} as const satisfies Record<PowerAction, string>;

export function powerConfirmation(
  action: PowerAction,
  name: string,
): StatusMessage & { readonly confirmLabel: string } {
  return {
    title: `${powerLabels[action]} ${name}?`,
    advice: powerHints[action],
    confirmLabel: powerLabels[action],
  };
}

export function powerError(action: PowerAction, name: string, problem: Problem): string {
  const reason = problem.code === 'network' ? 'Porthole is not responding.' : sentence(problem.title ?? '');
  const support = problem.requestId === undefined ? '' : ` Support number ${problem.requestId}.`;
  return `Could not ${powerLabels[action].toLowerCase()} ${name}. ${reason ?? 'Try again later.'}${support}`;
}
