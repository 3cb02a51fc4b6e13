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
      <ToolButton label="Smaller text" onClick={() => thenFocusDisplay(() => terminal.zoom(-1))}>
        <span class="tool-glyph">A−</span>
      </ToolButton>
      <ToolButton label="Larger text" onClick={() => thenFocusDisplay(() => terminal.zoom(1))}>
        <span class="tool-glyph">A+</span>
      </ToolButton>
    </>
  );
}
