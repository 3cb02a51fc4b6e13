import type { View } from '../console/connection/view.ts';
import { t } from '../language/t.ts';
import { openingStepText, progressSteps, queueText } from './console.ts';

/** What the large view of a seat says about its connection. */
export function viewerText(view: View | undefined): string {
  if (!view) return `${t('step.requesting')}…`;
  switch (view.state) {
    case 'open':
      return t('seat.watching');
    case 'queued':
      return `${queueText(view.position, view.waitSeconds)}.`;
    case 'opening':
      return `${openingStepText(view.step)}…`;
    case 'parked':
      return t('console.parked');
    case 'machine-off':
    case 'retrying':
    case 'ended':
      return `${view.message.title} ${view.message.advice}`;
    default:
      return `${t(progressSteps[view.state])}…`;
  }
}
