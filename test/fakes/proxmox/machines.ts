import type { Guest } from '../guests/guest.ts';
import { createTerminalShell, type MakeShell } from './terminal-shell.ts';

export interface GuestOptions {
  readonly vmid: number;
  readonly node: string;
  readonly name: string;
  /** Default 'qemu'. */
  readonly type?: 'qemu' | 'lxc';
  readonly tags?: readonly string[];
  readonly pool?: string;
  readonly template?: boolean;
  /** The VNC server behind the console. Without it the guest has a power state, but no screen. */
  readonly guest?: Guest;
  /** Whether termproxy finds a terminal: for qemu a serial port (default false), for lxc always there (default true). */
  readonly terminal?: boolean;
  /** The `vga` of a virtual machine's configuration, for example "none": then it has no VNC server. */
  readonly vga?: string;
  /** The program in each terminal. Default: the built-in shell. */
  readonly shell?: MakeShell;
  /** Default true, for templates false. */
  readonly running?: boolean;
}

/** A guest of the cluster: its configuration, its node and the faults that tests set. */
export interface Machine {
  readonly vmid: number;
  readonly type: 'qemu' | 'lxc';
  readonly tags: readonly string[];
  readonly pool: string | undefined;
  readonly template: boolean;
  readonly guest: Guest | undefined;
  readonly terminal: boolean;
  readonly vga: string | undefined;
  readonly shell: MakeShell;
  node: string;
  name: string;
  /** QEMU does not answer (SIGSTOP): status calls still say "running", consoles never get a byte. */
  hung: boolean;
  /** The lock of a running operation ("backup", "migrate"), with which Proxmox refuses to start or stop the guest. */
  lock: string | undefined;
  /** The guest ignores shutdown and reboot requests. */
  stubborn: boolean;
  /** Consoles are upgraded, then send nothing and stay open. */
  stalled: boolean;
  /** dtach was given too much at once: the container's terminal takes and writes nothing. */
  dtachStopped: boolean;
  readonly running: boolean;
  readonly startedAt: number;
  power(action: PowerAction): Promise<void>;
  onStopped(listener: () => void): () => void;
}

export const powerActions = ['start', 'stop', 'shutdown', 'reset', 'reboot'] as const;
export type PowerAction = (typeof powerActions)[number];

export function createMachine(options: GuestOptions, now: () => number): Machine {
  const { guest } = options;
  const type = options.type ?? 'qemu';
  const listeners = new Set<() => void>();
  let poweredOn = !guest && (options.running ?? !options.template);
  let startedAt = now();

  const isRunning = () => (guest ? guest.running : poweredOn);
  const powerOff = async (how: 'stop' | 'shutdown') => {
    if (guest) {
      await guest[how]();
      return;
    }
    poweredOn = false;
    for (const listener of listeners) listener();
  };

  return {
    vmid: options.vmid,
    type,
    tags: options.tags ?? [],
    pool: options.pool,
    template: options.template ?? false,
    guest,
    terminal: options.terminal ?? type === 'lxc',
    vga: options.vga,
    shell: options.shell ?? createTerminalShell,
    node: options.node,
    name: options.name,
    hung: false,
    lock: undefined,
    stubborn: false,
    stalled: false,
    dtachStopped: false,
    get running() {
      return isRunning();
    },
    get startedAt() {
      return startedAt;
    },
    async power(action) {
      const kind = type === 'qemu' ? 'VM' : 'CT';
      if (this.lock !== undefined) throw new Error(`${kind} is locked (${this.lock})`);
      if (action === 'start') {
        if (options.template)
          throw new Error(`you can't start a ${type === 'qemu' ? 'vm' : 'CT'} if it's a template`);
        if (isRunning()) throw new Error(`${kind} ${options.vmid} already running`);
        await guest?.start();
        this.dtachStopped = false;
        poweredOn = true;
        startedAt = now();
        return;
      }
      if (action !== 'stop' && !isRunning()) throw new Error(`${kind} ${options.vmid} not running`);
      if (this.stubborn && (action === 'shutdown' || action === 'reboot'))
        throw new Error(`${kind} quit/powerdown failed - got timeout`);
      if (action === 'stop' || action === 'shutdown') {
        await powerOff(action);
      } else {
        await guest?.reset();
        if (action === 'reboot') startedAt = now();
      }
    },
    onStopped(listener) {
      if (guest) return guest.onStopped(listener);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
