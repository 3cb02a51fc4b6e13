import type { Cancel, Clock } from '@porthole/shared/time/clock';
import { bootScript } from './boot-script.ts';
import type { BootLine } from './boot-script.ts';
import { createFramebuffer } from './framebuffer.ts';
import type { Framebuffer } from './framebuffer.ts';
import { createKeyboard, keyName } from './keyboard.ts';
import { createPointerLayer } from './pointer-layer.ts';
import { createShell, keysyms } from './shell.ts';
import type { Shell } from './shell.ts';
import { createStatusBars } from './status-bars.ts';
import { createTerminal } from './terminal.ts';
import { createTextScreen } from './text-screen.ts';
import { accentOf, theme } from './theme.ts';

/** The computer without its VNC server: takes key and pointer events, and produces pixels. */
export interface Machine {
  readonly framebuffer: Framebuffer;
  powerOn(): void;
  powerOff(): void;
  key(keysym: number, down: boolean): void;
  pointer(x: number, y: number, buttons: number): void;
  /** Calls back after each change of the picture. Without a listener, no timer runs. */
  watch(listener: () => void): () => void;
  /** Updates the picture to the current time. */
  refresh(): void;
  text(): string[];
  typed(): string;
  pointerState(): { x: number; y: number; buttons: number };
}

export interface MachineOptions {
  name: string;
  kind: 'qemu' | 'vncterm';
  clock: Clock;
  width: number;
  height: number;
  /** Called when the guest's system powers the machine off. */
  onPowerOff(): void;
}

export function createMachine({ name, kind, clock, width, height, ...options }: MachineOptions): Machine {
  const framebuffer = createFramebuffer(width, height);
  const screen = createTextScreen(framebuffer);
  const accent = accentOf(name);
  const pointer = createPointerLayer(accent);
  const keyboard = createKeyboard();
  const bars = createStatusBars(screen, { name, accent });
  const watchers = new Set<() => void>();
  const picture = `${width}x${height}`;
  const script = bootScript(name, kind, picture);

  const wholeScreen = { top: 0, bottom: screen.rows, left: 1, right: screen.columns };
  const betweenBars = { top: 2, bottom: screen.rows - 2, left: 2, right: screen.columns - 2 };

  let on = false;
  let bootedAt = 0;
  let pending: (BootLine & { handover?: boolean })[] = [];
  let terminal = createTerminal(screen, wholeScreen, theme.black);
  let cursor = screen.at(0, 0);
  let shell: Shell | undefined;
  let lastKey = '';
  let movedAt = 0;
  let cancelWake: Cancel | undefined;

  const boot = () => {
    bootedAt = clock.now();
    shell = undefined;
    lastKey = '';
    keyboard.clear();
    pointer.clear();
    screen.blank(0, screen.rows, theme.black);
    terminal = createTerminal(screen, wholeScreen, theme.black);
    pending = [
      ...script.firmware,
      { at: script.handover, text: '', style: theme.plain, handover: true },
      ...script.system,
      { at: script.done, text: '', style: theme.plain },
    ];
  };

  const showBootLine = (line: BootLine & { handover?: boolean }) => {
    if (line.handover) {
      screen.blank(0, screen.rows, theme.plain);
      terminal = createTerminal(screen, betweenBars, theme.plain);
      return;
    }
    const [ok, rest] = line.text.split('  OK  ');
    if (rest === undefined || ok === undefined) {
      terminal.print(`${line.text}\n`, line.style);
      return;
    }
    terminal.print(ok, theme.dim);
    terminal.print('  OK  ', theme.good);
    terminal.print(`${rest}\n`, line.style);
  };

  const logIn = () => {
    terminal.print('\n');
    terminal.print(`Welcome to ${name}.\n`, theme.strong);
    terminal.print('Everything you see is drawn by a small machine written in TypeScript.\n', theme.dim);
    terminal.print("Type 'help' for what it can do, move the pointer, press a button.\n\n", theme.dim);
    shell = createShell(
      terminal,
      {
        name,
        kind: kind === 'qemu' ? 'virtual machine' : 'container',
        picture,
        now: () => new Date(clock.now()),
        upSeconds: () => (clock.now() - bootedAt) / 1000,
        viewers: () => watchers.size,
        reboot: boot,
        powerOff: () => options.onPowerOff(),
      },
      { fg: accent, bg: theme.background, bold: true },
    );
    shell.start();
  };

  // The boot has no timers: the first access updates the picture.
  const catchUp = () => {
    const since = clock.now() - bootedAt;
    for (let line = pending[0]; line && line.at <= since; line = pending[0]) {
      pending.shift();
      if (pending.length === 0) logIn();
      else showBootLine(line);
    }
    if (clock.now() - movedAt >= 1000) pointer.rest();
  };

  const cursorMoved = () => {
    const { row, column } = terminal.cursor();
    const before = cursor;
    cursor = screen.at(row, column);
    return before.x === cursor.x && before.y === cursor.y ? [] : [{ ...before, width: 8, height: 16 }];
  };

  const draw = () => {
    const inSystem = pending.every((line) => !line.handover);
    for (const rect of [...pointer.outdated(), ...cursorMoved()]) screen.expose(rect);
    if (inSystem) {
      bars.put({
        now: new Date(clock.now()),
        upSeconds: (clock.now() - bootedAt) / 1000,
        viewers: watchers.size,
        pointer: pointer.state(),
        keys: keyboard.count(),
        lastKey,
      });
    }
    screen.render();
    bars.frame(framebuffer, inSystem);
    if (inSystem) bars.decorate(framebuffer, clock.now());
    const { x, y } = cursor;
    framebuffer.fill(x, y + 2, 8, 13, inSystem ? accent : theme.black.fg);
    pointer.draw(framebuffer);
  };

  const wakeLater = () => {
    cancelWake?.();
    if (!on || watchers.size === 0) return;
    const next = pending[0];
    const toSecond = 1000 - (clock.now() % 1000);
    const delay = next ? Math.max(0, bootedAt + next.at - clock.now()) : toSecond;
    cancelWake = clock.after(delay, () => machine.refresh());
  };

  const machine: Machine = {
    framebuffer,
    powerOn() {
      on = true;
      boot();
      machine.refresh();
    },
    powerOff() {
      on = false;
      cancelWake?.();
    },
    key(keysym, down) {
      catchUp();
      const stroke = keyboard.event(keysym, down);
      if (stroke) {
        lastKey = keyName(stroke);
        if (stroke.ctrl && stroke.alt && stroke.keysym === keysyms.delete) boot();
        else if (!stroke.alt) shell?.key(stroke.keysym, stroke.ctrl);
      }
      machine.refresh();
    },
    pointer(x, y, buttons) {
      movedAt = clock.now();
      pointer.move(Math.min(x, width - 1), Math.min(y, height - 1), buttons);
      machine.refresh();
    },
    watch(listener) {
      watchers.add(listener);
      machine.refresh();
      return () => {
        watchers.delete(listener);
        machine.refresh();
      };
    },
    refresh() {
      if (!on) return;
      catchUp();
      draw();
      wakeLater();
      for (const watcher of watchers) watcher();
    },
    text() {
      machine.refresh();
      return screen.text();
    },
    typed: () => keyboard.typed(),
    pointerState: () => pointer.state(),
  };
  return machine;
}
