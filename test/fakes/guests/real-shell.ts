import { execFile, spawn } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { endWithUs } from '../end-with-us.ts';
import type { MakeShell } from '../proxmox/terminal-shell.ts';

/** A real bash on a real pseudo terminal, which `script` of util-linux creates. */
export const createRealShell: MakeShell = ({ write, exit }) => {
  const child = spawn('script', ['-qfc', 'bash --noprofile --norc -i', '/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], TERM: 'xterm-256color', PS1: 'real$ ', HOME: '/', LC_ALL: 'C.UTF-8' },
  });
  endWithUs(child);
  child.stdin.on('error', () => {});
  child.stdout.setEncoding('utf8').on('data', write);
  child.once('error', exit);
  child.once('exit', () => exit());
  return {
    input: (text) => void child.stdin.write(text),
    resize(columns, rows) {
      const terminal = terminalOf(child.pid);
      if (terminal)
        execFile('stty', ['-F', terminal, 'cols', String(columns), 'rows', String(rows)], () => {});
    },
    // The terminal ends with `script`, and the shell with its terminal.
    end: () => void child.kill('SIGKILL'),
  };
};

/** The terminal that `script` created, which only its child has open. */
function terminalOf(script: number | undefined): string | undefined {
  try {
    const [bash] = readFileSync(`/proc/${script}/task/${script}/children`, 'utf8').trim().split(' ');
    return bash ? readlinkSync(`/proc/${bash}/fd/0`) : undefined;
  } catch {
    return undefined; // it has ended
  }
}
