import { useState } from 'preact/hooks';
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
    setStatus(terminal ? 'Pasted.' : "Sent to the machine's clipboard.");
  }

  return (
    <>
      <label for="outgoing">To the machine</label>
      <textarea
        id="outgoing"
        rows={4}
        spellcheck={false}
        placeholder="Paste or type text here"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <div class="actions">
        <button type="button" class="button primary" disabled={!text} onClick={send}>
          {terminal ? 'Paste' : 'Send'}
        </button>
      </div>
      {terminal ? null : <TypeAsKeys screen={screen} text={text} layouts={layouts} setStatus={setStatus} />}
      <p class="panel-help">
        {terminal
          ? 'In the terminal, Ctrl+Shift+V pastes and Ctrl+Shift+C copies the selection.'
          : 'Send needs a clipboard service in the machine. Typing works in every machine.'}
      </p>
    </>
  );
}
