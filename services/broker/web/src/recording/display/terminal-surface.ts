import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import type { RecordingRecord } from '@porthole/shared/recording/record/record';
import { labelElement } from '../../language/label-element.ts';
import { makeDocumentCspSafe } from '../../console/terminal/csp-safe-document.ts';
import type { Surface } from '../playback/surface.ts';

const theme = { background: '#000000', foreground: '#e8f0f0', cursor: '#58c6bb' };
const initialSize = { cols: 80, rows: 24 };
const fontSizes = { min: 6, max: 20 } as const;

/** Shows a recorded terminal with xterm.js, in its recorded size, with letters as large as fit. */
export function createTerminalSurface(target: HTMLElement): Surface {
  makeDocumentCspSafe(document);
  const xterm = new Terminal({
    ...initialSize,
    fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
    fontSize: 15,
    disableStdin: true,
    scrollback: 1000,
    theme,
    minimumContrastRatio: 3,
  });
  xterm.open(target);
  labelElement(xterm.textarea, 'terminal.label');
  xterm.textarea?.setAttribute('tabindex', '-1');

  function fit(): void {
    const screen = target.querySelector('.xterm-screen');
    const { width, height } = screen?.getBoundingClientRect() ?? { width: 0, height: 0 };
    const size = xterm.options.fontSize ?? fontSizes.max;
    if (width === 0 || target.clientWidth === 0) return;
    const factor = Math.min(target.clientWidth / width, target.clientHeight / height);
    const fitting = Math.max(fontSizes.min, Math.min(fontSizes.max, Math.floor(size * factor)));
    if (fitting !== size) xterm.options.fontSize = fitting;
  }
  const observer = new ResizeObserver(fit);
  observer.observe(target);

  function resize(text: string): void {
    const [cols = 0, rows = 0] = text.split('x').map(Number);
    if (!(cols > 0 && rows > 0 && cols <= 1000 && rows <= 1000)) return;
    xterm.resize(cols, rows);
    requestAnimationFrame(fit);
  }

  return {
    reset: () => xterm.reset(),
    apply(record: RecordingRecord) {
      if (record.type !== 'terminal') return;
      if (record.code === 'o') xterm.write(record.bytes.slice());
      else if (record.code === 'r') resize(new TextDecoder().decode(record.bytes));
    },
    // Text goes on; the next clear screen makes it right.
    lost() {},
    // xterm.js writes in the background, in order.
    settled: () => new Promise((resolve) => xterm.write('', resolve)),
    freeze() {},
    unfreeze() {},
    picture: async () => undefined,
    close() {
      observer.disconnect();
      xterm.dispose();
    },
  };
}
