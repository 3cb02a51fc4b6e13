import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { CloseIcon } from '../../components/icons.tsx';
import type { Screen } from '../display/screen.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { typeText } from '../keyboard/text-entry.ts';

interface ClipboardProps {
  readonly screen: Screen;
  readonly terminal: Terminal | undefined;
  readonly received: string;
  /** What the session's grant allows. */
  readonly paste: boolean;
  readonly copy: boolean;
  readonly close: () => void;
}

export function ClipboardPanel({ screen, terminal, received, paste, copy, close }: ClipboardProps) {
  const [text, setText] = useState('');
  const [note, setNote] = useState('');
  const [typing, setTyping] = useState<AbortController | undefined>(undefined);
  const first = useRef<HTMLTextAreaElement>(null);
  const incoming = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => (first.current ?? incoming.current)?.focus(), []);
  useEffect(() => () => typing?.abort(), [typing]);

  async function type() {
    const controller = new AbortController();
    setTyping(controller);
    setNote('Typing…');
    await typeText(screen, text, controller.signal);
    setTyping(undefined);
    setNote(controller.signal.aborted ? 'Stopped.' : 'Typed.');
  }

  async function copyReceived() {
    try {
      await navigator.clipboard.writeText(received);
      setNote('Copied.');
    } catch {
      // Browsers may refuse; then Ctrl+C does it.
      incoming.current?.select();
      setNote('Selected. Press Ctrl+C to copy.');
    }
  }

  return (
    <section
      class="panel"
      role="dialog"
      aria-label="Clipboard"
      onKeyDown={(event) => {
        if (event.key === 'Escape') close();
      }}
    >
      <header>
        <h2>Clipboard</h2>
        <button type="button" class="tool" aria-label="Close" onClick={close}>
          <CloseIcon />
        </button>
      </header>
      {paste ? (
        <>
          <label for="outgoing">To the machine</label>
          <textarea
            id="outgoing"
            ref={first}
            rows={4}
            spellcheck={false}
            placeholder="Paste or write text here"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <div class="actions">
            <button
              type="button"
              class="button primary"
              disabled={!text}
              onClick={() => {
                (terminal ?? screen).paste(text);
                setNote(terminal ? 'Pasted.' : "Sent to the machine's clipboard.");
              }}
            >
              {terminal ? 'Paste' : 'Send'}
            </button>
            {terminal ? null : typing ? (
              <button type="button" class="button" onClick={() => typing.abort()}>
                Stop typing
              </button>
            ) : (
              <button type="button" class="button" disabled={!text} onClick={() => void type()}>
                Type it as keys
              </button>
            )}
          </div>
          <p class="panel-help">
            {terminal
              ? 'Ctrl+Shift+V pastes right into the terminal, and Ctrl+Shift+C copies what is selected.'
              : 'Typing works everywhere, also where the machine has no clipboard. It expects a US keyboard layout.'}
          </p>
        </>
      ) : null}
      {copy ? (
        <>
          <label for="incoming">From the machine</label>
          <textarea
            id="incoming"
            ref={incoming}
            rows={3}
            readOnly
            placeholder={terminal ? 'Select text in the terminal' : 'Nothing was copied there yet'}
            value={received}
          />
          <div class="actions">
            <button type="button" class="button" disabled={!received} onClick={() => void copyReceived()}>
              Copy
            </button>
          </div>
        </>
      ) : null}
      <span class="panel-note" role="status">
        {note}
      </span>
    </section>
  );
}
