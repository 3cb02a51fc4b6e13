import { classLimits } from '@porthole/shared/class/limits';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { CloseIcon } from '../../components/icons.tsx';
import { handText } from '../../texts/class.ts';
import type { Help } from './class-info.ts';

/** Raises or lowers the user's hand. */
export type SetHelp = (raised: boolean, text: string) => void;

interface HelpPanelProps {
  readonly help: Help;
  readonly setHelp: SetHelp;
  readonly close: () => void;
}

export function HelpPanel({ help, setHelp, close }: HelpPanelProps) {
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  useLayoutEffect(() => field.current?.focus(), []);

  function send(raised: boolean) {
    setHelp(raised, raised ? text.trim() : '');
    close();
  }

  return (
    <section
      class="panel"
      role="dialog"
      aria-label={t('help.title')}
      onKeyDown={(event) => {
        if (event.key === 'Escape') close();
      }}
    >
      <header>
        <h2>{t('help.title')}</h2>
        <button type="button" class="icon-button" aria-label={t('close')} onClick={close}>
          <CloseIcon />
        </button>
      </header>
      <form
        class="help-form"
        onSubmit={(event) => {
          event.preventDefault();
          send(true);
        }}
      >
        {help.raised ? <p>{handText(help.position)}</p> : null}
        <label for="help-text">{t('help.about')}</label>
        <input
          id="help-text"
          ref={field}
          type="text"
          autocomplete="off"
          maxLength={classLimits.helpText}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <p class="panel-help">{t('help.advice')}</p>
        <div class="actions">
          <button type="submit" class="button primary">
            {t(help.raised ? 'help.change' : 'help.raise')}
          </button>
          {help.raised ? (
            <button type="button" class="button" onClick={() => send(false)}>
              {t('help.lower')}
            </button>
          ) : null}
        </div>
      </form>
    </section>
  );
}
