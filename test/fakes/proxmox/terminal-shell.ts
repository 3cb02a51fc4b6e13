import type { Clock } from '@porthole/shared/time/clock';

/**
 * The program behind termproxy: a minimal shell and terminal to test keys, sizes and output. Supports echo, backspace,
 * Ctrl-C, Ctrl-D and a few commands.
 */
export interface TerminalShell {
  input(text: string): void;
  resize(columns: number, rows: number): void;
  /** The connection has ended. */
  end(): void;
}

export type MakeShell = (options: {
  hostname: string;
  clock: Clock;
  write: (text: string) => void;
  exit: () => void;
}) => TerminalShell;

export const createTerminalShell: MakeShell = (options) => {
  const { hostname, clock, write, exit } = options;
  const prompt = `root@${hostname}:~# `;
  let size = { columns: 80, rows: 20 };
  let line: string[] = [];
  let over = false;

  const commands: Record<string, (words: string[]) => string> = {
    echo: (words) => words.join(' '),
    date: () => new Date(clock.now()).toUTCString(),
    hostname: () => hostname,
    whoami: () => 'root',
    stty: (words) => (words[0] === 'size' ? `${size.rows} ${size.columns}` : ''),
    colours: () => '\x1b[38;2;255;120;0mtrue\x1b[0m \x1b[32mgreen\x1b[0m',
    /** Large output from a short command. */
    seq: (words) =>
      Array.from({ length: Math.min(1_000_000, Number(words[0]) || 0) }, (_, index) => index + 1).join(
        '\r\n',
      ),
  };

  const leave = (text: string) => {
    over = true;
    write(text);
    exit();
  };

  const run = () => {
    const [name = '', ...words] = line.join('').trim().split(/\s+/);
    line = [];
    if (name === 'exit') {
      leave('\r\nlogout\r\n');
      return;
    }
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    const output = name === '' ? '' : command ? command(words) : `-bash: ${name}: command not found`;
    write(`\r\n${output}${output ? '\r\n' : ''}${prompt}`);
  };

  write(prompt);
  return {
    input(text) {
      for (const key of text) {
        if (over) return;
        if (key === '\r' || key === '\n') run();
        else if (key === '\x7f' || key === '\b') {
          if (line.pop() !== undefined) write('\b \b');
        } else if (key === '\x03') {
          line = [];
          write(`^C\r\n${prompt}`);
        } else if (key === '\x04') {
          if (line.length === 0) leave('logout\r\n');
        } else if (key >= ' ') {
          line.push(key);
          write(key);
        }
      }
    },
    resize(columns, rows) {
      size = { columns, rows };
    },
    end() {
      over = true;
    },
  };
};
