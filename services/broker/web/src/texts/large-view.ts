import type { View } from '../console/connection/view.ts';
import { openingSteps, parkedText, progressSteps, queueText } from './console.ts';

/** The texts of the large view of a seat. */
export const largeViewTexts = {
  look: 'Look',
  previous: 'Previous',
  next: 'Next',
  close: 'Close',
  again: 'Try again',
  message: 'Message',
  ownTab: 'Open in own tab',
  watching: 'You watch. Keyboard and mouse do not reach the machine.',
  toButtons: 'Press Control, Alt and Shift together to reach the buttons.',
} as const;

/** What the large view says about its connection. */
export function viewerText(view: View | undefined): string {
  if (!view) return `${progressSteps.requesting}…`;
  switch (view.state) {
    case 'open':
      return largeViewTexts.watching;
    case 'queued':
      return `${queueText(view.position, view.waitSeconds)}.`;
    case 'opening':
      return `${view.step ? openingSteps[view.step] : progressSteps.opening}…`;
    case 'parked':
      return parkedText;
    case 'machine-off':
    case 'retrying':
    case 'ended':
      return `${view.message.title} ${view.message.advice}`;
    default:
      return `${progressSteps[view.state]}…`;
  }
}
