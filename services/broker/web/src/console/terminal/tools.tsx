import { Tool } from '../tool.tsx';
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
      <Tool label="Smaller letters" onClick={() => thenBack(() => terminal.zoom(-1))}>
        <span class="tool-glyph">A−</span>
      </Tool>
      <Tool label="Larger letters" onClick={() => thenBack(() => terminal.zoom(1))}>
        <span class="tool-glyph">A+</span>
      </Tool>
    </>
  );
}
