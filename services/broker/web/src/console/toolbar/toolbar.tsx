import type { RefObject } from 'preact';
import { arrowStep } from '../../language/arrow-step.ts';
import { t } from '../../language/t.ts';
import { BackIcon, ReloadIcon, ScreenIcon } from '../../components/icons.tsx';
import { basePath } from '../../base-path.ts';
import { toolbarStates } from '../../texts/console.ts';
import type { Mode, View } from '../connection/view.ts';
import { FullScreenTool } from './full-screen-tool.tsx';
import { MoreTools } from './more-tools.tsx';
import { ToolButton } from './tool-button.tsx';
import type { ToolbarTrigger } from './toolbar-trigger.ts';
import type { Help } from '../class/class-info.ts';
import {
  ClipboardTool,
  DisplayTools,
  HelpTool,
  LanguageTool,
  KeyboardTools,
  PowerTool,
  type ToolsProps,
} from './tools.tsx';

interface ToolbarProps extends ToolsProps {
  readonly bar: RefObject<HTMLDivElement | null>;
  readonly view: View;
  readonly name: string;
  readonly mode: Mode;
  /** Whether the user may use power actions. */
  readonly power: boolean;
  /** Undefined if the user cannot ask for help here. */
  readonly help: Help | undefined;
  readonly shown: boolean;
  readonly trigger: ToolbarTrigger;
  readonly reconnect: () => void;
}

export function Toolbar(props: ToolbarProps) {
  const { bar, view, name, mode, shown, screen, terminal, trigger } = props;
  const live = view.state === 'open';
  const { focus } = terminal ?? screen;

  /** Returns the keyboard to the machine afterwards, so that Space does not press the button again. */
  const thenFocusDisplay = (action: () => void) => {
    action();
    if (live) focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && live) {
      focus();
      trigger.hide();
      return;
    }
    const step = arrowStep(event.key);
    if (step !== undefined) moveFocus(bar.current, step, event);
  };

  const tools = { ...props, thenFocusDisplay };
  return (
    <>
      <div
        ref={bar}
        class="bar"
        data-shown={shown}
        role="toolbar"
        aria-label={t('tools.console')}
        onKeyDown={onKeyDown}
      >
        <a class="tool" href={basePath} data-home aria-label={t('tools.back')} data-tip={t('tools.back')}>
          <BackIcon />
        </a>
        <div class="bar-title">
          <strong>{name}</strong>
          <StateLabel view={view} />
          {view.sessionInfo.recorded ? <span class="bar-recorded">{t('console.barRecorded')}</span> : null}
        </div>
        <div class="bar-tools">
          {live && mode === 'control' && !terminal ? <KeyboardTools {...tools} /> : null}
          {live && props.help ? <HelpTool {...tools} help={props.help} /> : null}
          {live && props.clipboard ? <ClipboardTool {...tools} /> : null}
          <MoreTools>
            {live ? <DisplayTools {...tools} /> : null}
            {live && props.power ? <PowerTool {...tools} /> : null}
            <LanguageTool {...tools} />
            <FullScreenTool thenFocusDisplay={thenFocusDisplay} />
            <ToolButton label={t('tools.reconnect')} onClick={props.reconnect}>
              <ReloadIcon />
            </ToolButton>
          </MoreTools>
        </div>
      </div>
      <Handle {...props} />
    </>
  );
}

function StateLabel({ view }: { readonly view: View }) {
  const reconnecting = view.interruption !== 'none' && view.state !== 'parked';
  return (
    <span class="bar-state" data-state={reconnecting ? 'reconnecting' : view.state}>
      {t(reconnecting ? 'state.reconnecting' : toolbarStates[view.state])}
    </span>
  );
}

/** As in the ARIA pattern for toolbars: arrow keys move between the controls, and wrap around. */
function moveFocus(bar: HTMLElement | null, step: number, event: KeyboardEvent): void {
  const controls = [...(bar?.querySelectorAll<HTMLElement>('a[href], button') ?? [])].filter((control) =>
    control.checkVisibility(),
  );
  const current = controls.indexOf(document.activeElement as HTMLElement);
  if (current < 0) return;
  event.preventDefault();
  controls[(current + step + controls.length) % controls.length]?.focus();
}

/** Shows the toolbar on devices without a pointer. */
function Handle({ bar, shown, trigger }: Pick<ToolbarProps, 'bar' | 'shown' | 'trigger'>) {
  return (
    <button
      type="button"
      class="handle"
      data-shown={!shown}
      tabIndex={shown ? -1 : 0}
      aria-label={t('tools.show')}
      onClick={() => {
        trigger.show();
        bar.current?.querySelector<HTMLElement>('a[href]')?.focus();
      }}
    >
      <ScreenIcon />
    </button>
  );
}
