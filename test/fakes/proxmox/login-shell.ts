import { createTerminalShell, type MakeShell, type TerminalShell } from './terminal-shell.ts';

/** The account that can log in at a node's `/bin/login`. */
export const nodeAccount = { name: 'root', password: 'of-the-node' } as const;

/** LOGIN_TIMEOUT of Debian's /etc/login.defs. */
const loginTimeoutMs = 60_000;

/**
 * `/bin/login` on a node, which its termproxy starts for all users except root@pam (pve-manager Nodes.pm,
 * get_shell_command): asks for a name with echo and a password without echo, then starts a shell. It ends if that takes
 * longer than a minute.
 */
export const createLoginShell: MakeShell = (options) => {
  const { hostname, clock, write, exit } = options;
  const prompt = `${hostname} login: `;
  let shell: TerminalShell | undefined;
  let size: readonly [number, number] | undefined;
  let name: string | undefined;
  let line = '';
  const cancelTimeout = clock.after(loginTimeoutMs, () => {
    write('\r\nLogin timed out after 60 seconds.\r\n');
    exit();
  });

  function enter(): void {
    const entered = line;
    line = '';
    if (name === undefined) {
      if (entered !== '') name = entered;
      write(name === undefined ? `\r\n${prompt}` : '\r\nPassword: ');
      return;
    }
    const right = name === nodeAccount.name && entered === nodeAccount.password;
    name = undefined;
    write('\r\n');
    if (right) {
      cancelTimeout();
      shell = createTerminalShell(options);
      if (size) shell.resize(...size);
    } else write(`\r\nLogin incorrect\r\n${prompt}`);
  }

  write(prompt);
  return {
    input(text) {
      for (const key of text) {
        if (shell) shell.input(key);
        else if (key === '\r' || key === '\n') enter();
        else if (key >= ' ') {
          line += key;
          if (name === undefined) write(key);
        }
      }
    },
    resize(columns, rows) {
      size = [columns, rows];
      shell?.resize(columns, rows);
    },
    end() {
      cancelTimeout();
      shell?.end();
    },
  };
};
