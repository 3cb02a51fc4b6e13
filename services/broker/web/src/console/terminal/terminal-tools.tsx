import { ToolButton } from '../toolbar/tool-button.tsx';
import type { Terminal } from './terminal.ts';

/** What the toolbar has for a terminal in place of a screen's tools. */
export function TerminalTools({
  terminal,
  thenBack,
}: {
  readonly terminal: Terminal;
  readonly thenBack: (action: () => void) => void;
}) {
  return (
    <>
      <ToolButton label="Smaller letters" onClick={() => thenBack(() => terminal.zoom(-1))}>
        <span class="tool-glyph">A−</span>
      </ToolButton>
      <ToolButton label="Larger letters" onClick={() => thenBack(() => terminal.zoom(1))}>
        <span class="tool-glyph">A+</span>
      </ToolButton>
    </>
  );
}
