import { useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import type { Screen } from '../display/screen.ts';
import type { LayoutChoice } from '../keyboard/layouts/layout-select.tsx';
import type { Terminal } from '../terminal/terminal.ts';
import { TypeAsKeys } from './type-as-keys.tsx';

interface OutgoingTextProps {
  readonly screen: Screen;
  readonly terminal: Terminal | undefined;
  readonly layouts: LayoutChoice;
  readonly setStatus: (status: string) => void;
}

/** Text for the machine: for its clipboard, as keys, or as input of its terminal. */
export function OutgoingText({ screen, terminal, layouts, setStatus }: OutgoingTextProps) {
  const [text, setText] = useState('');

  function send() {
    (terminal ?? screen).paste(text);
    setStatus(t(terminal ? 'clipboard.pasted' : 'clipboard.sent'));
  }

  return (
    <>
      <label for="outgoing">{t('clipboard.toMachine')}</label>
      <textarea
        id="outgoing"
        rows={4}
        spellcheck={false}
        placeholder={t('clipboard.toMachineHint')}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <div class="actions">
        <button type="button" class="button primary" disabled={!text} onClick={send}>
          {t(terminal ? 'clipboard.paste' : 'clipboard.send')}
        </button>
      </div>
      {terminal ? null : <TypeAsKeys screen={screen} text={text} layouts={layouts} setStatus={setStatus} />}
      <p class="panel-help">{t(terminal ? 'clipboard.terminalHelp' : 'clipboard.screenHelp')}</p>
    </>
  );
}
