import { classLimits } from '@porthole/shared/class/limits';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { CloseIcon } from '../../components/icons.tsx';
import { handText, helpTexts } from '../../texts/class.ts';
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
      aria-label={helpTexts.title}
      onKeyDown={(event) => {
        if (event.key === 'Escape') close();
      }}
    >
      <header>
        <h2>{helpTexts.title}</h2>
        <button type="button" class="icon-button" aria-label="Close" onClick={close}>
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
        <label for="help-text">{helpTexts.label}</label>
        <input
          id="help-text"
          ref={field}
          type="text"
          autocomplete="off"
          maxLength={classLimits.helpText}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <p class="panel-help">{helpTexts.advice}</p>
        <div class="actions">
          <button type="submit" class="button primary">
            {help.raised ? helpTexts.change : helpTexts.raise}
          </button>
          {help.raised ? (
            <button type="button" class="button" onClick={() => send(false)}>
              {helpTexts.lower}
            </button>
          ) : null}
        </div>
      </form>
    </section>
  );
}
