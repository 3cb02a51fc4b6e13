import { t } from '../../language/t.ts';
import { ToolButton } from '../toolbar/tool-button.tsx';
import type { Terminal } from './terminal.ts';

/** The toolbar's tools for a terminal. */
export function TerminalTools({
  terminal,
  thenFocusDisplay,
}: {
  readonly terminal: Terminal;
  readonly thenFocusDisplay: (action: () => void) => void;
}) {
  return (
    <>
      <ToolButton label={t('tools.smaller')} onClick={() => thenFocusDisplay(() => terminal.zoom(-1))}>
        <span class="tool-glyph">A−</span>
      </ToolButton>
      <ToolButton label={t('tools.larger')} onClick={() => thenFocusDisplay(() => terminal.zoom(1))}>
        <span class="tool-glyph">A+</span>
      </ToolButton>
    </>
  );
}
