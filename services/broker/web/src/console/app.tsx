import { useEffect, useRef, useState } from 'preact/hooks';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { AlertIcon, CloseIcon, EyeIcon } from '../components/icons.tsx';
import { powerProgress } from '../texts.ts';
import { announcement } from './overlay/announcement.ts';
import { ClipboardPanel } from './clipboard/clipboard-panel.tsx';
import { onToolbarKeyCombination } from './keyboard/key-combination.ts';
import { KeysPanel } from './keyboard/keys-panel.tsx';
import { NoticeBar } from './notices/notice-bar.tsx';
import { Overlay } from './overlay/overlay.tsx';
import { PowerPanel } from './power/power-panel.tsx';
import type { MachinePower } from './power/machine-power.ts';
import type { Screen } from './display/screen.ts';
import { TerminalKeys } from './terminal/terminal-keys.tsx';
import type { Terminal } from './terminal/terminal.ts';
import { Toolbar, type Panel } from './toolbar/toolbar.tsx';
import { useToolbarTrigger } from './toolbar/toolbar-trigger.ts';
import { clipboardRights } from './connection/session-info.ts';
import type { Mode, View } from './connection/view.ts';
import { ObserversBadge } from './notices/observers-badge.tsx';

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
  readonly power: MachinePower | undefined;
}

export function App(props: AppProps) {
  const { view, name, wanted, received, screen, terminal, open, extend, power } = props;
  const [panel, setPanel] = useState<Panel | undefined>(undefined);
  const [fit, setFit] = useState(true);
  const bar = useRef<HTMLDivElement>(null);
  const live = view.state === 'open';
  // A terminal lies below the toolbar, a screen behind it.
  const reveal = useToolbarTrigger(bar, live && panel === undefined && !terminal);
  const { focus } = terminal ?? screen;
  const mode: Mode = view.state === 'open' || view.state === 'picture' ? view.mode : wanted;

  // In a terminal to paste is to type, and what is shown can be read.
  const clipboard = clipboardRights(terminal ? 'both' : view.sessionInfo.clipboard, mode);

  useEffect(
    () =>
      onToolbarKeyCombination(() => {
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
        trigger={reveal}
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
            power.request(action);
          }}
          close={close}
        />
      ) : null}
      {power?.confirmation ? (
        <ConfirmDialog question={power.confirmation} done={power.closeConfirmation} />
      ) : null}
      {power?.pendingAction && live ? (
        <p class="hint" role="status">
          {powerProgress[power.pendingAction]}
        </p>
      ) : null}
      {power?.error && live ? (
        <p class="power-problem" role="alert">
          <AlertIcon /> {power.error}
          <button type="button" class="icon-button" aria-label="Close" onClick={power.dismissError}>
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
      <ObserversBadge view={view} />
      <NoticeBar view={view} extend={extend} leave={focus} />
      {terminal && mode === 'control' && live ? <TerminalKeys terminal={terminal} /> : null}
      <Overlay view={view} name={name} open={open} power={power} />
      <p class="visually-hidden" role="status" aria-live="polite">
        {announcement(view, name)}
      </p>
    </>
  );
}
