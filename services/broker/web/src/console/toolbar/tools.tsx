import { t } from '../../language/t.ts';
import {
  ClipboardIcon,
  GlobeIcon,
  RaisedHandIcon,
  KeyboardIcon,
  OriginalSizeIcon,
  PowerIcon,
  PowerKeysIcon,
} from '../../components/icons.tsx';
import type { Help } from '../class/class-info.ts';
import type { Screen } from '../display/screen.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { TerminalTools } from '../terminal/terminal-tools.tsx';
import { ToolButton } from './tool-button.tsx';

export type Panel = 'clipboard' | 'keys' | 'power' | 'help' | 'language';

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
        label={t('tools.ctrlAltDel')}
        short={t('tools.ctrlAltDelShort')}
        onClick={() => thenFocusDisplay(screen.ctrlAltDel)}
      >
        <PowerKeysIcon />
      </ToolButton>
      <ToolButton
        label={t('tools.keyboard')}
        hint={t('tools.keyboardHint')}
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
    <ToolButton
      label={t('tools.clipboard')}
      expanded={panel === 'clipboard'}
      onClick={() => togglePanel('clipboard')}
    >
      <ClipboardIcon />
    </ToolButton>
  );
}

export function DisplayTools({ fit, toggleFit, terminal, thenFocusDisplay }: ToolsProps & WithFocus) {
  return terminal ? (
    <TerminalTools terminal={terminal} thenFocusDisplay={thenFocusDisplay} />
  ) : (
    <ToolButton
      label={t('tools.originalSize')}
      hint={t(fit ? 'tools.showOriginalSize' : 'tools.fit')}
      pressed={!fit}
      onClick={() => thenFocusDisplay(toggleFit)}
    >
      <OriginalSizeIcon />
    </ToolButton>
  );
}

interface HelpToolProps extends Pick<ToolsProps, 'panel' | 'togglePanel'> {
  readonly help: Help;
}

export function HelpTool({ help, panel, togglePanel }: HelpToolProps) {
  return (
    <ToolButton
      label={t(help.raised ? 'help.raised' : 'help.raise')}
      expanded={panel === 'help'}
      onClick={() => togglePanel('help')}
    >
      <RaisedHandIcon />
    </ToolButton>
  );
}

export function PowerTool({ panel, togglePanel }: Pick<ToolsProps, 'panel' | 'togglePanel'>) {
  return (
    <ToolButton label={t('power')} expanded={panel === 'power'} onClick={() => togglePanel('power')}>
      <PowerIcon />
    </ToolButton>
  );
}

export function LanguageTool({ panel, togglePanel }: Pick<ToolsProps, 'panel' | 'togglePanel'>) {
  return (
    <ToolButton label={t('language')} expanded={panel === 'language'} onClick={() => togglePanel('language')}>
      <GlobeIcon />
    </ToolButton>
  );
}
