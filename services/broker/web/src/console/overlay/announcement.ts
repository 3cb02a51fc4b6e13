import { t } from '../../language/t.ts';
import { pausedTitle } from '../../texts/class.ts';
import { connectionLost, openingStepText, progressSteps, queueText } from '../../texts/console.ts';
import type { View } from '../connection/view.ts';
import { mostUrgent } from '../notices/notices.ts';

/** The same text between attempts and during them, so that it is spoken once. */
const reconnectingText = () => `${t('message.lostReconnecting')} ${connectionLost.advice}`;

/** The text for screen readers: each change of state once, without countdowns. */
export function announcement(view: View, name: string): string {
  switch (view.state) {
    case 'open': {
      const { paused } = view.classInfo;
      if (paused) return `${pausedTitle(paused.by)}. ${paused.text} ${t('myClass.pausedMeans')}`;
      const notice = mostUrgent(view.notices);
      if (notice)
        return notice.extend
          ? t('announce.extend', { notice: t(`notice.${notice.notice}`), extend: t('notice.extend') })
          : t(`notice.${notice.notice}`);
      return t(view.mode === 'view' ? 'announce.viewOnly' : 'announce.open', { name });
    }
    case 'retrying':
      return view.message === connectionLost
        ? reconnectingText()
        : `${view.message.title} ${view.message.advice}`;
    case 'parked':
      return t('console.parked');
    case 'machine-off':
    case 'ended':
      return `${view.message.title} ${view.message.advice}`;
    default:
      return progressAnnouncement(view);
  }
}

type InProgress = Exclude<View, { state: 'open' | 'parked' | 'machine-off' | 'retrying' | 'ended' }>;

function progressAnnouncement(view: InProgress): string {
  if (view.interruption === 'brief') return t('announce.reconnecting');
  if (view.interruption === 'parked') return `${t('console.parked')} ${t('announce.reconnecting')}`;
  if (view.interruption === 'lost') return reconnectingText();
  switch (view.state) {
    case 'queued':
      return `${t('queue.waiting')} ${queueText(view.position, view.waitSeconds)}.`;
    case 'opening':
      return `${openingStepText(view.step)}.`;
    default:
      return `${t(progressSteps[view.state])}.`;
  }
}
