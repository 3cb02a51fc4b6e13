import { commands } from './commands.ts';
import type { CommandContext } from './commands.ts';
import type { Terminal } from './terminal.ts';
import { theme } from './theme.ts';
import type { TextStyle } from './text-screen.ts';

/** A prompt with line editing, a history, and the commands in commands.ts. */
export interface Shell {
  start(): void;
  key(keysym: number, ctrl: boolean): void;
}

const maxLine = 400;

export function createShell(
  terminal: Terminal,
  context: Omit<CommandContext, 'terminal' | 'history'>,
  promptStyle: TextStyle,
): Shell {
  const history: string[] = [];
  let line = '';
  let place = 0;

  const prompt = () => {
    line = '';
    place = history.length;
    terminal.print(`guest@${context.name}`, promptStyle);
    terminal.print(':~$ ', theme.dim);
  };

  const replace = (text: string) => {
    for (let i = line.length; i > 0; i--) terminal.erase();
    line = text;
    terminal.print(text);
  };

  const enter = () => {
    terminal.print('\n');
    const words = line.trim();
    if (words !== '') {
      history.push(words);
      const [verb = '', ...rest] = words.split(/\s+/);
      const command = commands.get(verb);
      if (command) command.run({ ...context, terminal, history }, rest);
      else terminal.print(`${verb}: command not found (try 'help')\n`, theme.bad);
    }
    prompt();
  };

  const control = (keysym: number) => {
    const letter = String.fromCharCode(keysym).toLowerCase();
    if (letter === 'c') {
      terminal.print('^C\n', theme.dim);
      prompt();
    } else if (letter === 'l') {
      const typed = line;
      terminal.clear();
      prompt();
      replace(typed);
    } else if (letter === 'u') {
      replace('');
    }
  };

  return {
    start: prompt,
    key(keysym, ctrl) {
      if (ctrl) {
        control(keysym);
      } else if (keysym >= 0x20 && keysym <= 0x7e && line.length < maxLine) {
        line += String.fromCharCode(keysym);
        terminal.print(String.fromCharCode(keysym));
      } else if (keysym === keysyms.enter) {
        enter();
      } else if (keysym === keysyms.backspace && line !== '') {
        line = line.slice(0, -1);
        terminal.erase();
      } else if (keysym === keysyms.up && place > 0) {
        replace(history[--place] ?? '');
      } else if (keysym === keysyms.down && place < history.length) {
        replace(history[++place] ?? '');
      }
    },
  };
}

/** X11 keysyms of key events (RFC 6143, section 7.5.4). */
export const keysyms = {
  backspace: 0xff08,
  tab: 0xff09,
  enter: 0xff0d,
  escape: 0xff1b,
  up: 0xff52,
  down: 0xff54,
  keypadEnter: 0xff8d,
  keypad0: 0xffb0,
  controlLeft: 0xffe3,
  controlRight: 0xffe4,
  altLeft: 0xffe9,
  altRight: 0xffea,
  delete: 0xffff,
} as const;
