import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../language/t.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { EyeIcon } from '../components/icons.tsx';
import { ClassMessages } from './class/class-messages.tsx';
import { HandBadge } from './class/hand-badge.tsx';
import { HelpPanel, type SetHelp } from './class/help-panel.tsx';
import { PausedCard } from './class/paused-card.tsx';
import { LessonNews } from '../lessons/lesson-news.tsx';
import { useLessons } from '../lessons/use-lessons.ts';
import { ControlBar } from './control/control-bar.tsx';
import { ShownView } from './class/shown-view.tsx';
import { ClipboardPanel } from './clipboard/clipboard-panel.tsx';
import { clipboardRights } from './connection/session-info.ts';
import type { Mode, View } from './connection/view.ts';
import type { Screen } from './display/screen.ts';
import { onToolbarKeyCombination } from './keyboard/key-combination.ts';
import { KeysPanel } from './keyboard/keys-panel.tsx';
import type { LayoutChoice } from './keyboard/layouts/layout-select.tsx';
import { NoticeBar } from './notices/notice-bar.tsx';
import { ObserversBadge } from './notices/observers-badge.tsx';
import { RecordedBadge } from './notices/recorded-badge.tsx';
import { ScreenMark } from './notices/screen-mark.tsx';
import { UnansweredHint } from './notices/unanswered-hint.tsx';
import { announcement } from './overlay/announcement.ts';
import { Overlay } from './overlay/overlay.tsx';
import type { MachinePower } from './power/machine-power.ts';
import { PowerPanel } from './power/power-panel.tsx';
import { PowerStatus } from './power/power-status.tsx';
import { TerminalKeys } from './terminal/terminal-keys.tsx';
import type { Terminal } from './terminal/terminal.ts';
import { Toolbar } from './toolbar/toolbar.tsx';
import { useToolbarTrigger } from './toolbar/toolbar-trigger.ts';
import { LanguagePanel } from './toolbar/language-panel.tsx';
import type { Panel } from './toolbar/tools.tsx';

export interface AppProps {
  readonly view: View;
  readonly name: string;
  /** The mode in the page's address. The relay can grant less. */
  readonly requestedMode: Mode;
  /** The newest text from the machine's clipboard. */
  readonly received: string;
  readonly screen: Screen;
  /** Replaces the screen. */
  readonly terminal: Terminal | undefined;
  readonly layouts: LayoutChoice;
  readonly open: () => void;
  readonly openWithConsent: () => void;
  readonly extend: () => void;
  readonly setHelp: SetHelp;
  readonly askControl: () => void;
  readonly handBackControl: () => void;
  /** Undefined if the user may not use power actions. */
  readonly power: MachinePower | undefined;
}

const lessonNewsMs = 20_000;

/** Everything on the console page except the display itself. */
export function App(props: AppProps) {
  const { view, name, requestedMode, screen, terminal, open, extend, power } = props;
  const [panel, setPanel] = useState<Panel | undefined>(undefined);
  const [fit, setFit] = useState(true);
  const bar = useRef<HTMLDivElement>(null);
  const live = view.state === 'open';
  const paused = live ? view.classInfo.paused : undefined;
  const control = live ? view.sessionInfo.control : undefined;
  const heldBack = paused !== undefined || control?.mine === false;
  // The toolbar covers a strip of a screen. A terminal lies below it.
  const trigger = useToolbarTrigger(bar, live && panel === undefined && !heldBack && !terminal);
  const { focus } = terminal ?? screen;
  const granted: Mode = view.state === 'open' || view.state === 'awaiting-frame' ? view.mode : requestedMode;
  // While input does not reach the machine, nothing is offered that sends it.
  const mode: Mode = heldBack ? 'view' : granted;
  // Pasting into a terminal is typing, and its text can be read anyway.
  const clipboard = clipboardRights(terminal ? 'both' : view.sessionInfo.clipboard, mode);

  // Members have a sign-in, except on embedded pages.
  const lessons = useLessons(
    view.classInfo.help !== undefined && document.body.dataset['embedded'] !== 'true',
  );

  useEffect(
    () =>
      onToolbarKeyCombination(() => {
        trigger.show();
        // A notice is more urgent than the toolbar.
        const notice = document.querySelector<HTMLElement>('.notice button, .class-message button');
        (notice ?? bar.current?.querySelector<HTMLElement>('a[href], button:not(:disabled)'))?.focus();
      }),
    [],
  );
  // Panels send input. Interruptions that end by themselves only hide them.
  useEffect(() => {
    if (!live && view.interruption !== 'brief' && view.interruption !== 'parked') setPanel(undefined);
  }, [live, view.interruption]);
  // Before the next key.
  useLayoutEffect(() => {
    if (heldBack) setPanel((open) => (open === 'help' || open === 'language' ? open : undefined));
    else if (live && document.activeElement === document.body) focus();
  }, [heldBack]);

  return (
    <>
      {live && !paused ? <h1 class="visually-hidden">{name}</h1> : null}
      <Toolbar
        bar={bar}
        view={view}
        name={name}
        mode={mode}
        clipboard={clipboard.paste || clipboard.copy}
        power={power !== undefined}
        help={view.classInfo.help}
        shown={trigger.shown || !live || heldBack || panel !== undefined}
        panel={panel}
        fit={fit}
        screen={screen}
        terminal={terminal}
        trigger={trigger}
        togglePanel={(toggled) => setPanel(panel === toggled ? undefined : toggled)}
        toggleFit={() => {
          screen.setFit(!fit);
          setFit(!fit);
        }}
        reconnect={open}
      />
      {live || panel === 'language' || (panel === 'help' && view.interruption === 'brief') ? (
        <OpenPanel
          {...props}
          panel={panel}
          clipboard={clipboard}
          close={() => {
            setPanel(undefined);
            focus();
          }}
        />
      ) : null}
      {power?.confirmation ? (
        <ConfirmDialog confirmation={power.confirmation} onClose={power.closeConfirmation} />
      ) : null}
      {power && live ? <PowerStatus power={power} /> : null}
      {granted === 'view' && live ? <ViewOnlyBadge /> : null}
      <RecordedBadge view={view} />
      <ObserversBadge view={view} />
      <HandBadge help={live ? view.classInfo.help : undefined} />
      {view.state === 'open' && view.sessionInfo.unanswered ? <UnansweredHint /> : null}
      <ControlBar control={control} ask={props.askControl} handBack={props.handBackControl} />
      <ScreenMark view={view} />
      <NoticeBar view={view} extend={extend} focusDisplay={focus} />
      {terminal && mode === 'control' && live ? <TerminalKeys terminal={terminal} /> : null}
      {paused ? <PausedCard paused={paused} /> : null}
      <div class="console-lesson-news">
        <LessonNews classes={lessons} showMs={lessonNewsMs} />
      </div>
      <ShownView shown={live ? view.classInfo.shown : undefined} />
      <ClassMessages messages={view.classInfo.messages} focusDisplay={focus} />
      <Overlay view={view} name={name} open={open} openWithConsent={props.openWithConsent} power={power} />
      <p class="visually-hidden" role="status" aria-live="polite">
        {announcement(view, name)}
      </p>
    </>
  );
}

interface OpenPanelProps extends Pick<
  AppProps,
  'view' | 'screen' | 'terminal' | 'layouts' | 'received' | 'power' | 'setHelp'
> {
  readonly panel: Panel | undefined;
  readonly clipboard: ReturnType<typeof clipboardRights>;
  readonly close: () => void;
}

function OpenPanel(props: OpenPanelProps) {
  const { view, panel, screen, terminal, layouts, received, clipboard, power, setHelp, close } = props;
  switch (panel) {
    case 'clipboard': {
      const text = terminal?.selection ?? received;
      return (
        <ClipboardPanel
          screen={screen}
          terminal={terminal}
          layouts={layouts}
          received={text}
          {...clipboard}
          close={close}
        />
      );
    }
    case 'keys':
      return <KeysPanel screen={screen} layouts={layouts} close={close} />;
    case 'power':
      return power ? (
        <PowerPanel
          type={power.type}
          onAction={(action) => {
            close();
            power.request(action);
          }}
          close={close}
        />
      ) : null;
    case 'language':
      return <LanguagePanel close={close} />;
    case 'help': {
      const { help } = view.classInfo;
      return help ? <HelpPanel help={help} setHelp={setHelp} close={close} /> : null;
    }
    case undefined:
      return null;
    default:
      return panel satisfies never;
  }
}

function ViewOnlyBadge() {
  return (
    <p class="view-only-badge" title={t('console.viewOnlyHint')}>
      <EyeIcon /> {t('machine.viewOnly')}
    </p>
  );
}
