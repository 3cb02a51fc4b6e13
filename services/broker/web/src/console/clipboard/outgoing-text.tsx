import { useEffect, useState } from 'preact/hooks';
import type { Screen } from '../display/screen.ts';
import { typeText } from '../keyboard/text-entry.ts';
import type { Terminal } from '../terminal/terminal.ts';

interface OutgoingTextProps {
  readonly screen: Screen;
  readonly terminal: Terminal | undefined;
  readonly setStatus: (status: string) => void;
}

/** Text for the machine: for its clipboard, as keys, or as input of its terminal. */
export function OutgoingText({ screen, terminal, setStatus }: OutgoingTextProps) {
  const [text, setText] = useState('');
  const [typing, setTyping] = useState<AbortController | undefined>(undefined);
  useEffect(() => () => typing?.abort(), [typing]);

  async function typeAsKeys() {
    const controller = new AbortController();
    setTyping(controller);
    setStatus('Typing…');
    await typeText(screen, text, controller.signal);
    setTyping(undefined);
    setStatus(controller.signal.aborted ? 'Stopped.' : 'Typed.');
  }

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
        {terminal ? null : typing ? (
          <button type="button" class="button" onClick={() => typing.abort()}>
            Stop typing
          </button>
        ) : (
          <button type="button" class="button" disabled={!text} onClick={() => void typeAsKeys()}>
            Type as keys
          </button>
        )}
      </div>
      <p class="panel-help">
        {terminal
          ? 'In the terminal, Ctrl+Shift+V pastes and Ctrl+Shift+C copies the selection.'
          : 'Typing also works in machines without a clipboard. It requires a US keyboard layout in the machine.'}
      </p>
    </>
  );
}
