import {
  connectionLost,
  extendLabel,
  noticeText,
  openingSteps,
  parkedText,
  progressSteps,
  queueText,
  reconnectingTitle,
} from '../../texts/console.ts';
import type { View } from '../connection/view.ts';
import { mostUrgent } from '../notices/notices.ts';

const toToolbar = 'Press Control, Alt and Shift together';
/** The same text between attempts and during them, so that it is spoken once. */
const reconnecting = `${reconnectingTitle} ${connectionLost.advice}`;

/** The text for screen readers: each change of state once, without countdowns. */
export function announcement(view: View, name: string): string {
  switch (view.state) {
    case 'open': {
      const notice = mostUrgent(view.notices);
      if (notice)
        return notice.extend
          ? `${noticeText[notice.notice]} ${toToolbar}, then choose ${extendLabel}.`
          : noticeText[notice.notice];
      return view.mode === 'view'
        ? `${name} is open. View only: keyboard and mouse are disabled.`
        : `${name} is open. ${toToolbar} to reach the toolbar.`;
    }
    case 'retrying':
      return view.message === connectionLost ? reconnecting : `${view.message.title} ${view.message.advice}`;
    case 'parked':
      return parkedText;
    case 'machine-off':
    case 'ended':
      return `${view.message.title} ${view.message.advice}`;
    default:
      return progressAnnouncement(view);
  }
}

type InProgress = Exclude<View, { state: 'open' | 'parked' | 'machine-off' | 'retrying' | 'ended' }>;

function progressAnnouncement(view: InProgress): string {
  if (view.interruption === 'brief') return 'Reconnecting.';
  if (view.interruption === 'parked') return `${parkedText} Reconnecting.`;
  if (view.interruption === 'lost') return reconnecting;
  switch (view.state) {
    case 'queued':
      return `Waiting in the queue. ${queueText(view.position, view.waitSeconds)}.`;
    case 'opening':
      return `${view.step ? openingSteps[view.step] : progressSteps.opening}.`;
    default:
      return `${progressSteps[view.state]}.`;
  }
}
