import {
  ClipboardIcon,
  KeyboardIcon,
  OriginalSizeIcon,
  PowerIcon,
  PowerKeysIcon,
} from '../../components/icons.tsx';
import type { Screen } from '../display/screen.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { TerminalTools } from '../terminal/terminal-tools.tsx';
import { ToolButton } from './tool-button.tsx';

export type Panel = 'clipboard' | 'keys' | 'power';

export interface ToolsProps {
  /** Whether the session allows pasting or copying. */
  readonly clipboard: boolean;
  readonly panel: Panel | undefined;
  readonly togglePanel: (panel: Panel) => void;
  readonly fit: boolean;
  readonly toggleFit: () => void;
  readonly screen: Screen;
  /** Replaces the screen. */
  readonly terminal: Terminal | undefined;
}

interface WithFocus {
  /** Does it and returns the keyboard to the machine. */
  readonly thenFocusDisplay: (action: () => void) => void;
}

export function KeyboardTools({ panel, togglePanel, screen, thenFocusDisplay }: ToolsProps & WithFocus) {
  return (
    <>
      <ToolButton
        label="Send Ctrl-Alt-Del"
        short="Ctrl-Alt-Del"
        onClick={() => thenFocusDisplay(screen.ctrlAltDel)}
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
  );
}

export function ClipboardTool({ panel, togglePanel }: Pick<ToolsProps, 'panel' | 'togglePanel'>) {
  return (
    <ToolButton label="Clipboard" expanded={panel === 'clipboard'} onClick={() => togglePanel('clipboard')}>
      <ClipboardIcon />
    </ToolButton>
  );
}

export function DisplayTools({ fit, toggleFit, terminal, thenFocusDisplay }: ToolsProps & WithFocus) {
  return terminal ? (
    <TerminalTools terminal={terminal} thenFocusDisplay={thenFocusDisplay} />
  ) : (
    <ToolButton
      label="Original size"
      hint={fit ? 'Show in original size' : 'Fit to the window'}
      pressed={!fit}
      onClick={() => thenFocusDisplay(toggleFit)}
    >
      <OriginalSizeIcon />
    </ToolButton>
  );
}

export function PowerTool({ panel, togglePanel }: Pick<ToolsProps, 'panel' | 'togglePanel'>) {
  return (
    <ToolButton label="Power" expanded={panel === 'power'} onClick={() => togglePanel('power')}>
      <PowerIcon />
    </ToolButton>
  );
}
