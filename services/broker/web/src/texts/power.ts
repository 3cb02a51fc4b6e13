import type { PowerAction, Problem } from '../api.ts';
import { t } from '../language/t.ts';
import { problemTitle } from './server-texts.ts';
import type { StatusMessage } from './status-message.ts';

export function powerConfirmation(
  action: PowerAction,
  name: string,
): StatusMessage & { readonly confirmLabel: string } {
  return {
    title: t(`power.${action}Ask`, { name }),
    advice: t(`power.${action}Hint`),
    confirmLabel: t(`power.${action}`),
  };
}

export function powerError(action: PowerAction, name: string, problem: Problem): string {
  const reason = problem.code === 'network' ? t('portholeSilent') : problemTitle(problem);
  const support = problem.requestId === undefined ? '' : ` ${t('power.support', { id: problem.requestId })}`;
  return `${t(`power.${action}Failed`, { name })} ${reason ?? t('power.tryLater')}${support}`;
}
