import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import {
  BackIcon,
  ClipboardIcon,
  FullScreenIcon,
  KeyboardIcon,
  LeaveFullScreenIcon,
  PowerIcon,
  PowerKeysIcon,
  ReloadIcon,
  ScreenIcon,
} from '../../components/icons.tsx';
import { toolbarStates } from '../../texts.ts';
import { toggleFullScreen, onFullScreenChange } from './full-screen.ts';
import type { ToolbarTrigger } from './toolbar-trigger.ts';
import type { Screen } from '../display/screen.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { TerminalTools } from '../terminal/terminal-tools.tsx';
import { ToolButton } from './tool-button.tsx';
import type { Mode, View } from '../connection/view.ts';

export type Panel = 'clipboard' | 'keys' | 'power';

export interface ToolbarProps {
  readonly bar: RefObject<HTMLDivElement | null>;
  readonly view: View;
  readonly name: string;
  readonly mode: Mode;
  /** Whether anything may be pasted or copied. */
  readonly clipboard: boolean;
  /** Whether this person may switch the machine. */
  readonly power: boolean;
  readonly shown: boolean;
  readonly panel: Panel | undefined;
  readonly fit: boolean;
  readonly screen: Screen;
  /** In place of the screen. */
  readonly terminal: Terminal | undefined;
  readonly trigger: ToolbarTrigger;
  readonly togglePanel: (panel: Panel) => void;
  readonly toggleFit: () => void;
  readonly reconnect: () => void;
}

export function Toolbar(props: ToolbarProps) {
  const {
    bar,
    view,
    name,
    mode,
    shown,
    panel,
    fit,
    screen,
    terminal,
    trigger: reveal,
    togglePanel,
    toggleFit,
    reconnect,
  } = props;
  const [full, setFull] = useState(false);
  useEffect(() => onFullScreenChange(setFull), []);
  const live = view.state === 'open';
  const mayType = live && mode === 'control' && !terminal;
  const { focus } = terminal ?? screen;

  /** What comes next is meant for the machine: Space must not press the button again. */
  const thenBack = (action: () => void) => {
    action();
    if (live) focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      if (live) {
        focus();
        reveal.hide();
      }
      return;
    }
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const tools = [...(bar.current?.querySelectorAll<HTMLElement>('a[href], button') ?? [])];
    const at = tools.indexOf(document.activeElement as HTMLElement);
    if (step === 0 || at < 0) return;
    event.preventDefault();
    tools[(at + step + tools.length) % tools.length]?.focus();
  };

  return (
    <>
      <div ref={bar} class="bar" data-shown={shown} role="toolbar" aria-label="Console" onKeyDown={onKeyDown}>
        <a class="tool" href="/" aria-label="Back to your machines" data-tip="Back to your machines">
          <BackIcon />
        </a>
        <div class="bar-title">
          <strong>{name}</strong>
          <span class="bar-state" data-state={view.quiet ? 'moving' : view.state}>
            {view.quiet ? 'Reconnecting' : toolbarStates[view.state]}
          </span>
        </div>
        <div class="bar-tools">
          {mayType ? (
            <>
              <ToolButton
                label="Send Ctrl-Alt-Del"
                short="Ctrl-Alt-Del"
                onClick={() => thenBack(screen.ctrlAltDel)}
              >
                <PowerKeysIcon />
              </ToolButton>
              <ToolButton
                label="Keyboard"
                hint="Keyboard and special keys"
                expanded={panel === 'keys'}
                onClick={() => togglePanel('keys')}
              >
                <KeyboardIcon />
              </ToolButton>
            </>
          ) : null}
          {live ? (
            <>
              {props.clipboard ? (
                <ToolButton
                  label="Clipboard"
                  expanded={panel === 'clipboard'}
                  onClick={() => togglePanel('clipboard')}
                >
                  <ClipboardIcon />
                </ToolButton>
              ) : null}
              {terminal ? (
                <TerminalTools terminal={terminal} thenBack={thenBack} />
              ) : (
                <ToolButton
                  label="Original size"
                  hint={fit ? 'Show in original size' : 'Fit to the window'}
                  pressed={!fit}
                  onClick={() => thenBack(toggleFit)}
                >
                  <span class="tool-glyph">1:1</span>
                </ToolButton>
              )}
            </>
          ) : null}
          {live && props.power ? (
            <ToolButton label="Power" expanded={panel === 'power'} onClick={() => togglePanel('power')}>
              <PowerIcon />
            </ToolButton>
          ) : null}
          <ToolButton
            label={full ? 'Leave full screen' : 'Full screen'}
            onClick={() => thenBack(() => void toggleFullScreen())}
          >
            {full ? <LeaveFullScreenIcon /> : <FullScreenIcon />}
          </ToolButton>
          <ToolButton label="Reconnect" onClick={reconnect}>
            <ReloadIcon />
          </ToolButton>
        </div>
      </div>
      <button
        type="button"
        class="handle"
        data-shown={!shown}
        tabIndex={shown ? -1 : 0}
        aria-label="Show the toolbar"
        onClick={() => {
          reveal.show();
          bar.current?.querySelector<HTMLElement>('a[href]')?.focus();
        }}
      >
        <ScreenIcon />
      </button>
    </>
  );
}
