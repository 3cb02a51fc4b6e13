import { black, theme } from './theme.ts';
import type { TextStyle } from './text-screen.ts';

/** The lines that a machine shows after power-on, with their times in milliseconds since power-on. */
export interface BootLine {
  at: number;
  text: string;
  style: TextStyle;
}

export interface BootScript {
  /** Lines of the firmware, on a black screen without bars. */
  firmware: BootLine[];
  /** When the system takes over the screen. */
  handover: number;
  system: BootLine[];
  /** When the prompt appears. */
  done: number;
}

const white: TextStyle = { ...black, fg: 0xffffff, bold: true };

export function bootScript(name: string, kind: 'qemu' | 'vncterm', picture: string): BootScript {
  const container = kind === 'vncterm';
  const firmware: BootLine[] = container
    ? []
    : [
        { at: 0, text: 'Porthole Built-in BIOS 1.0', style: white },
        { at: 0, text: 'A machine made of TypeScript, nothing else installed', style: black },
        { at: 0, text: '', style: black },
        { at: 100, text: `Machine name : ${name}`, style: black },
        { at: 100, text: `Display      : ${picture}, 32 bits per pixel`, style: black },
        { at: 200, text: 'Processor    : 1 x event loop', style: black },
        { at: 350, text: 'Memory test  : 65536K OK', style: black },
        { at: 450, text: 'Keyboard     : detected', style: black },
        { at: 500, text: 'Pointer      : detected', style: black },
        { at: 600, text: '', style: black },
        { at: 600, text: 'Booting from disk 0 ...', style: white },
      ];
  const handover = container ? 0 : 800;
  const units = [
    'Mounted the root file system',
    'Started the system clock',
    `Set the host name to ${name}`,
    'Started the entropy daemon',
    'Reached target Local File Systems',
    'Brought up network interface eth0',
    'Started the keyboard and pointer service',
    'Started the clipboard service',
    'Reached target Multi-User System',
  ];
  const system: BootLine[] = units.map((text, i) => ({
    at: handover + 60 * (i + 1),
    text: `[  OK  ] ${text}`,
    style: theme.plain,
  }));
  return { firmware, handover, system, done: handover + 60 * units.length + 200 };
}
