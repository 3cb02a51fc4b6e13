import { classLimits } from '@porthole/shared/class/limits';
import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import type { Seat } from '../../class-types.ts';
import { MessageIcon } from '../../components/icons.tsx';
import { seatName, sendLabel, sentText } from '../../texts/class-page.ts';
import type { ClassActions } from './use-class-actions.ts';

interface MessageFormProps extends Pick<ClassActions, 'act' | 'busy'> {
  readonly field: RefObject<HTMLInputElement | null>;
  /** The marked seats. Without any, the message goes to all members. */
  readonly marked: readonly Seat[];
  readonly unmarkAll: () => void;
}

export function MessageForm({ field, marked, unmarkAll, act, busy }: MessageFormProps) {
  const [text, setText] = useState('');
  const [status, setStatus] = useState('');
  const names = marked.map(seatName);

  async function send() {
    const users = [...new Set(marked.flatMap(({ member }) => member?.id ?? []))];
    const sent = await act({ action: 'message', text: text.trim(), ...(users.length > 0 ? { users } : {}) });
    if (!sent) return;
    setText('');
    setStatus(sentText(names));
    unmarkAll();
  }

  return (
    <form
      class="class-panel"
      aria-label={t('class.message')}
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== '') void send();
      }}
    >
      <label class="class-field">
        <span>{t('class.message')}</span>
        <input
          ref={field}
          type="text"
          required
          maxLength={classLimits.text}
          autocomplete="off"
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setStatus('');
          }}
        />
      </label>
      {marked.length > 0 ? (
        <button type="button" class="button quiet" onClick={unmarkAll}>
          {t('class.unmark')}
        </button>
      ) : null}
      <button type="submit" class="button primary" aria-disabled={busy}>
        <MessageIcon /> {sendLabel(names)}
      </button>
      <span class="class-status" role="status">
        {status}
      </span>
    </form>
  );
}
