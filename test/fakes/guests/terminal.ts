import type { TextScreen, TextStyle } from './text-screen.ts';

/** Writes text into rows of a text screen, wraps at the right and scrolls at the bottom. */
export interface Terminal {
  readonly columns: number;
  print(text: string, style?: TextStyle): void;
  /** Erases one character, also across a wrapped line. */
  erase(): void;
  clear(): void;
  cursor(): { row: number; column: number };
}

export function createTerminal(
  screen: TextScreen,
  area: { top: number; bottom: number; left: number; right: number },
  plain: TextStyle,
): Terminal {
  let row = area.top;
  let column = area.left;

  const newLine = () => {
    column = area.left;
    if (row < area.bottom - 1) row++;
    else screen.scrollUp(area.top, area.bottom, plain);
  };

  return {
    columns: area.right - area.left,
    print(text, style = plain) {
      for (const character of text) {
        if (character === '\n') {
          newLine();
          continue;
        }
        screen.put(row, column, character, style);
        if (++column >= area.right) newLine();
      }
    },
    erase() {
      if (column > area.left) {
        column--;
      } else if (row > area.top) {
        row--;
        column = area.right - 1;
      }
      screen.put(row, column, ' ', plain);
    },
    clear() {
      screen.blank(area.top, area.bottom, plain);
      row = area.top;
      column = area.left;
    },
    cursor: () => ({ row, column }),
  };
}
