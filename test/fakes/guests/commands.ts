import type { Terminal } from './terminal.ts';
import { theme } from './theme.ts';
import { rgb } from './framebuffer.ts';

export interface CommandContext {
  name: string;
  kind: string;
  picture: string;
  terminal: Terminal;
  history: readonly string[];
  now(): Date;
  upSeconds(): number;
  viewers(): number;
  reboot(): void;
  powerOff(): void;
}

interface Command {
  help: string;
  run(context: CommandContext, words: string[]): void;
}

export function clockText(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function two(n: number): string {
  return String(Math.floor(n)).padStart(2, '0');
}

export function duration(seconds: number): string {
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}

const lighthouse = [
  '        .        ',
  '       /_\\   --- ',
  '       |o| ------',
  '      _|_|_  --- ',
  '      \\   /      ',
  '       | |       ',
  '       | |       ',
  '    ___|_|___    ',
  '~~~~~~~~~~~~~~~~~',
];

function about(context: CommandContext): void {
  const facts: [string, string][] = [
    ['host', context.name],
    ['system', context.kind],
    ['display', `${context.picture}, 32 bits per pixel`],
    ['viewers', String(context.viewers())],
    ['uptime', duration(context.upSeconds())],
    ['time', clockText(context.now())],
    ['shell', 'a few dozen lines of TypeScript'],
  ];
  const { terminal } = context;
  terminal.print('\n');
  for (const [i, art] of lighthouse.entries()) {
    terminal.print(`  ${art}    `, i === lighthouse.length - 1 ? theme.dim : theme.warm);
    const fact = facts[i - 1];
    if (fact) {
      terminal.print(fact[0].padEnd(10), theme.dim);
      terminal.print(fact[1], i === 1 ? theme.strong : theme.plain);
    }
    terminal.print('\n');
  }
  terminal.print('\n');
}

const colors = [0xff7b72, 0xf2cc60, 0x56d364, 0x2dd4bf, 0x60a5fa, 0xa78bfa, 0xf472b6, 0xffffff];

export const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    'help',
    {
      help: 'this list',
      run({ terminal }) {
        for (const [name, { help }] of commands) {
          terminal.print(`  ${name.padEnd(10)}`, theme.strong);
          terminal.print(`${help}\n`, theme.dim);
        }
      },
    },
  ],
  ['about', { help: 'the machine in one picture', run: about }],
  ['date', { help: 'date and time', run: (c) => c.terminal.print(`${clockText(c.now())}\n`) }],
  [
    'uptime',
    { help: 'time since power on', run: (c) => c.terminal.print(`up ${duration(c.upSeconds())}\n`) },
  ],
  [
    'uname',
    { help: 'name of the system', run: (c) => c.terminal.print(`Porthole ${c.name} 1.0 ${c.kind}\n`) },
  ],
  ['hostname', { help: 'name of the machine', run: (c) => c.terminal.print(`${c.name}\n`) }],
  ['whoami', { help: 'name of the user', run: (c) => c.terminal.print('guest\n') }],
  ['echo', { help: 'repeat the words', run: (c, words) => c.terminal.print(`${words.join(' ')}\n`) }],
  [
    'colors',
    {
      help: 'what the display can do',
      run({ terminal }) {
        for (const color of colors) terminal.print('      ', { fg: 0, bg: rgb(color) });
        terminal.print('\n');
      },
    },
  ],
  [
    'history',
    {
      help: 'lines typed before',
      run: (c) => c.history.forEach((line, i) => c.terminal.print(`${String(i + 1).padStart(4)}  ${line}\n`)),
    },
  ],
  ['clear', { help: 'wipe the screen', run: (c) => c.terminal.clear() }],
  ['reboot', { help: 'start again (so does Ctrl-Alt-Del)', run: (c) => c.reboot() }],
  ['poweroff', { help: 'switch the machine off', run: (c) => c.powerOff() }],
]);
