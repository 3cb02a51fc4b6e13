import { extendLabel, noticeText, openingSteps, progress, queueText } from '../../texts.ts';
import { mostUrgent } from '../notices/notices.ts';
import type { View } from '../connection/view.ts';

/** What a screen reader hears about the console's state: each change once, no countdown. */
export function announcement(view: View, name: string): string {
  if (view.quiet) return 'Reconnecting.';
  switch (view.state) {
    case 'asking':
    case 'connecting':
      return `${progress[view.state]}.`;
    case 'queued':
      return `Waiting in line. ${queueText(view.position)}.`;
    case 'opening':
      return `${view.step ? openingSteps[view.step] : progress.opening}.`;
    case 'picture':
      return `${progress.picture}.`;
    case 'open': {
      const announced = mostUrgent(view.notices);
      if (announced)
        return announced.extend
          ? `${noticeText[announced.notice]} Press Control, Alt and Shift together, then choose ${extendLabel}.`
          : noticeText[announced.notice];
      return view.mode === 'view'
        ? `${name} is open. View only: keyboard and mouse are switched off.`
        : `${name} is open. Press Control, Alt and Shift together to reach the toolbar.`;
    }
    case 'waiting':
    case 'retrying':
    case 'ended':
      return `${view.words.title} ${view.words.advice}`;
    default:
      return view satisfies never;
  }
}
