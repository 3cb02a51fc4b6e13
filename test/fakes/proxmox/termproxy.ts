import { StringDecoder } from 'node:string_decoder';
import type { ConsoleProgram } from './byte-sink.ts';
import type { Cluster } from './cluster.ts';
import type { Machine } from './machines.ts';
import type { TerminalShell } from './terminal-shell.ts';
import { createDtach } from './dtach.ts';
import { createTermproxyQueue } from './termproxy-queue.ts';

const firstLineMs = 10_000;
const firstLineBytes = 4096;

/**
 * proxmox-termproxy: waits for `user:ticket\n`, sends `OK` directly followed by output of the terminal, and then reads
 * `0:LENGTH:data`, `1:COLUMNS:ROWS:` and `2` as termproxy-queue.ts describes, while output is sent raw.
 */
export function termproxy(options: {
  cluster: Cluster;
  machine: Machine;
  path: string;
  user: string;
  ticket: string;
  port: number;
}): ConsoleProgram {
  const { cluster, machine, path, user, ticket, port } = options;
  const { clock, settings, tickets } = cluster;
  const hardened = settings.mode === 'new';

  return (client) => {
    let unread = Buffer.alloc(0);
    let state: 'first line' | 'checking' | 'open' | 'ended' = 'first line';
    let shell: TerminalShell | undefined;
    const decoder = new StringDecoder('utf8');
    const cancels: (() => void)[] = [];

    const end = () => {
      if (state === 'ended') return;
      state = 'ended';
      for (const cancel of cancels) cancel();
      shell?.end();
      client.end();
    };
    cancels.push(clock.after(firstLineMs, () => state === 'first line' && end()));

    const open = () => {
      state = 'open';
      const first: string[] = ['OK'];
      const write = (text: string) => {
        if (first.length > 0) first.push(text);
        else if (!machine.dtachStopped) client.data(Buffer.from(text));
      };
      const problem = terminalProblem(machine);
      if (!problem && !machine.dtachStopped) {
        // The first prompt of the shell is sent together with the OK.
        shell = machine.shell({ hostname: machine.name, clock, write, exit: end });
        cancels.push(machine.onStopped(end));
      }
      client.data(Buffer.from(problem ? `OK${problem}\r\n` : first.splice(0).join('')));
      if (problem) end();
      else read();
    };

    const check = (line: string) => {
      state = 'checking';
      if (cluster.isSilent(machine)) return;
      const colon = line.indexOf(':');
      const givenUser = line.slice(0, colon);
      const givenTicket = line.slice(colon + 1);
      // Since the hardening, only the ticket that this termproxy was started for is valid, and is compared first.
      if (hardened && (givenUser !== user || givenTicket !== ticket)) return end();
      // Before it, termproxy called /access/ticket, which does not accept token IDs and delays its 401.
      const acceptable = hardened || !givenUser.includes('!');
      if (acceptable && tickets.verifyVnc(givenTicket, givenUser, path, port) === 'valid') return open();
      cancels.push(clock.after(settings.unauthorizedDelayMs, end));
    };

    const input = (bytes: Buffer) => shell?.input(decoder.write(bytes));
    const dtach = machine.type === 'lxc' ? createDtach(machine, input) : undefined;
    if (dtach) cancels.push(dtach.end);
    const queue = createTermproxyQueue({
      input: dtach ? dtach.push : input,
      resize: (columns, rows) => shell?.resize(columns, rows),
    });
    const read = () => {
      const bytes = unread;
      unread = Buffer.alloc(0);
      if (state === 'open') queue.push(bytes);
      else unread = bytes;
    };

    return {
      data(bytes) {
        if (state === 'ended') return;
        unread = Buffer.concat([unread, bytes]);
        if (state === 'first line') {
          const newline = unread.indexOf('\n');
          if (newline < 0 && unread.length < firstLineBytes) return;
          if (newline < 0) return end();
          const line = unread.toString('utf8', 0, newline);
          unread = unread.subarray(newline + 1);
          check(line);
        } else {
          read();
        }
      },
      end,
    };
  };
}

function terminalProblem(machine: Machine): string | null {
  if (!machine.running) return `${machine.type === 'qemu' ? 'VM' : 'CT'} ${machine.vmid} not running`;
  return machine.terminal ? null : 'unable to find a serial interface';
}
