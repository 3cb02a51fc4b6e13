import { useEffect, useRef, useState } from 'preact/hooks';
import { Confirm } from '../confirm.tsx';
import { AlertIcon, CloseIcon, EyeIcon } from '../icons.tsx';
import { powerGoing } from '../texts.ts';
import { announcement } from './announcement.ts';
import { ClipboardPanel } from './clipboard.tsx';
import { onToolbarChord } from './chord.ts';
import { KeysPanel } from './keys.tsx';
import { NoticeBar } from './notice.tsx';
import { Overlay } from './overlay.tsx';
import { PowerPanel } from './power-panel.tsx';
import type { Power } from './use-power.ts';
import type { Screen } from './screen.ts';
import { TerminalKeys } from './terminal/keys.tsx';
import type { Terminal } from './terminal/terminal.ts';
import { Toolbar, type Panel } from './toolbar.tsx';
import { useReveal } from './reveal.ts';
import { clipboardOf } from './session-facts.ts';
import type { Mode, View } from './view.ts';
import { WatchedBadge } from './watched.tsx';

export interface AppProps {
  readonly view: View;
  readonly name: string;
  /** The mode that the address asks for; the relay may grant less. */
  readonly wanted: Mode;
  readonly received: string;
  readonly screen: Screen;
  /** What is there in place of the screen. */
  readonly terminal: Terminal | undefined;
  readonly open: () => void;
  readonly extend: () => void;
  /** Undefined: this person may not switch the machine. */
  readonly power: Power | undefined;
}

export function App(props: AppProps) {
  const { view, name, wanted, received, screen, terminal, open, extend, power } = props;
  const [panel, setPanel] = useState<Panel | undefined>(undefined);
  const [fit, setFit] = useState(true);
  const bar = useRef<HTMLDivElement>(null);
  const live = view.state === 'open';
  // A terminal lies below the toolbar, a screen behind it.
  const reveal = useReveal(bar, live && panel === undefined && !terminal);
  const { focus } = terminal ?? screen;
  const mode: Mode = view.state === 'open' || view.state === 'picture' ? view.mode : wanted;

  // In a terminal to paste is to type, and what is shown can be read.
  const clipboard = clipboardOf(terminal ? 'both' : view.facts.clipboard, mode);

  useEffect(
    () =>
      onToolbarChord(() => {
        reveal.show();
        // What is about to happen comes before the toolbar.
        const notice = document.querySelector<HTMLElement>('.notice button');
        (notice ?? bar.current?.querySelector<HTMLElement>('a[href], button:not(:disabled)'))?.focus();
      }),
    [],
  );
  // A panel that sends things is of no use without a machine to send them to.
  useEffect(() => {
    if (!live && !view.quiet) setPanel(undefined);
  }, [live, view.quiet]);

  const close = () => {
    setPanel(undefined);
    focus();
  };
  const togglePanel = (wantedPanel: Panel) => setPanel(panel === wantedPanel ? undefined : wantedPanel);

  return (
    <>
      <Toolbar
        bar={bar}
        view={view}
        name={name}
        mode={mode}
        clipboard={clipboard.paste || clipboard.copy}
        power={power !== undefined}
        shown={reveal.shown || !live || panel !== undefined}
        panel={panel}
        fit={fit}
        screen={screen}
        terminal={terminal}
        reveal={reveal}
        togglePanel={togglePanel}
        toggleFit={() => {
          screen.setFit(!fit);
          setFit(!fit);
        }}
        reconnect={open}
      />
      {panel === 'clipboard' && live ? (
        <ClipboardPanel
          screen={screen}
          terminal={terminal}
          received={terminal?.selection ?? received}
          {...clipboard}
          close={close}
        />
      ) : null}
      {panel === 'power' && live && power ? (
        <PowerPanel
          type={power.type}
          act={(action) => {
            close();
            power.ask(action);
          }}
          close={close}
        />
      ) : null}
      {power?.question ? <Confirm question={power.question} done={power.answered} /> : null}
      {power?.going && live ? (
        <p class="hint" role="status">
          {powerGoing[power.going]}
        </p>
      ) : null}
      {power?.problem && live ? (
        <p class="power-problem" role="alert">
          <AlertIcon /> {power.problem}
          <button type="button" class="icon-button" aria-label="Close" onClick={power.forget}>
            <CloseIcon />
          </button>
        </p>
      ) : null}
      {panel === 'keys' && live ? <KeysPanel screen={screen} close={close} /> : null}
      {mode === 'view' && live ? (
        <p class="watching" title="You can watch this console. Keyboard and mouse are switched off.">
          <EyeIcon /> View only
        </p>
      ) : null}
      <WatchedBadge view={view} />
      <NoticeBar view={view} extend={extend} leave={focus} />
      {terminal && mode === 'control' && live ? <TerminalKeys terminal={terminal} /> : null}
      <Overlay view={view} name={name} open={open} power={power} />
      <p class="visually-hidden" role="status" aria-live="polite">
        {announcement(view, name)}
      </p>
    </>
  );
}
