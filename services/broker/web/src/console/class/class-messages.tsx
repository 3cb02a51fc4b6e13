import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { messageFrom } from '../../texts/class.ts';
import type { ClassMessage } from './class-info.ts';
import { createDismissedMessages } from './dismissed-messages.ts';

interface ClassMessagesProps {
  readonly messages: readonly ClassMessage[];
  /** Returns the keyboard to the machine. */
  readonly focusDisplay: () => void;
}

/**
 * Messages of instructors until the user dismisses them. The element is always there, because screen readers announce
 * changes only in elements that they know.
 */
export function ClassMessages({ messages, focusDisplay }: ClassMessagesProps) {
  const store = useMemo(() => createDismissedMessages(() => sessionStorage), []);
  const [dismissed, setDismissed] = useState(() => store.read());
  const shown = messages.filter(({ id }) => !dismissed.has(id));

  const newest = shown.at(-1)?.id;
  const log = useRef<HTMLDivElement>(null);
  // If there are more than fit on the page.
  useLayoutEffect(() => log.current?.scrollTo({ top: log.current.scrollHeight }), [newest]);

  function dismiss(id: string) {
    store.add(id);
    setDismissed(store.read());
    focusDisplay();
  }

  return (
    <div ref={log} class="class-messages" role="log" aria-label={t('myClass.messages')}>
      {shown.map(({ id, text, by }) => (
        <div key={id} class="class-message">
          <p class="class-message-from">{messageFrom(by)}</p>
          <p class="class-message-text" dir="auto">
            {text}
          </p>
          <span class="visually-hidden">{t('myClass.toReach')}</span>
          <button type="button" class="button" onClick={() => dismiss(id)}>
            {t('myClass.dismiss')}
          </button>
        </div>
      ))}
    </div>
  );
}
