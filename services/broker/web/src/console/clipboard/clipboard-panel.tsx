import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { CloseIcon } from '../../components/icons.tsx';
import type { Screen } from '../display/screen.ts';
import type { LayoutChoice } from '../keyboard/layouts/layout-select.tsx';
import type { Terminal } from '../terminal/terminal.ts';
import { OutgoingText } from './outgoing-text.tsx';
import { ReceivedText } from './received-text.tsx';

interface ClipboardProps {
  readonly screen: Screen;
  /** Replaces the screen. */
  readonly terminal: Terminal | undefined;
  readonly layouts: LayoutChoice;
  readonly received: string;
  /** Whether the session allows pasting, and copying. */
  readonly paste: boolean;
  readonly copy: boolean;
  readonly close: () => void;
}

export function ClipboardPanel(props: ClipboardProps) {
  const { screen, terminal, layouts, received, paste, copy, close } = props;
  const panel = useRef<HTMLElement>(null);
  const [status, setStatus] = useState('');
  useLayoutEffect(() => panel.current?.querySelector('textarea')?.focus(), []);
  return (
    <section
      ref={panel}
      class="panel"
      role="dialog"
      aria-label={t('tools.clipboard')}
      onKeyDown={(event) => {
        if (event.key === 'Escape') close();
      }}
    >
      <header>
        <h2>{t('tools.clipboard')}</h2>
        <button type="button" class="tool" aria-label={t('close')} onClick={close}>
          <CloseIcon />
        </button>
      </header>
      {paste ? (
        <OutgoingText screen={screen} terminal={terminal} layouts={layouts} setStatus={setStatus} />
      ) : null}
      {copy ? (
        <ReceivedText
          received={received}
          placeholder={t(terminal ? 'clipboard.selectFirst' : 'clipboard.nothingYet')}
          setStatus={setStatus}
        />
      ) : null}
      <span class="panel-note" role="status">
        {status}
      </span>
    </section>
  );
}
