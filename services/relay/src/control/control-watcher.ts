import type { MachineControls } from '@porthole/shared/control/machine-controls';
import type { AskControlSignal, ConsoleSignals } from '@porthole/shared/session/signals';
import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import { askControl, type AskControlDeps } from './ask-control.ts';
import { ControllableConsole, type ConsoleOfMachine } from './controllable-console.ts';
import { ControllablePlace, type PlaceAtScreen } from './controllable-place.ts';
import { WatchedMachine, type WatchedMachineDeps } from './watched-machine.ts';

const tickMs = 500;
/** How long a change may go unnoticed whose signal was lost, besides a tick. */
const pollMs = 1000;
/** Machines that are read at once. */
const batchSize = 50;

/**
 * Enforces at this relay who has control of machines. The records in the store are the truth. Signals say when to read
 * them. Polling makes up for lost signals: one call to the store per relay and poll while nothing has changed, one for
 * each machine that is controlled, and one for each machine after a change.
 */
export interface ControlWatcher {
  /** From now on, control of the console's machine applies to it. */
  register(console: ConsoleOfMachine): ControlRegistration;
  /**
   * From now on, control of the machine applies to a place at its shared screen as well. All input of a shared machine
   * passes its one screen, so a change takes effect there in one step, whichever relays the sessions are at. Holds input
   * back until the store has said who has control, or does not answer.
   */
  registerPlace(place: PlaceAtScreen): Cancel;
  /** Handles the signal that control of this machine has changed. */
  onChanged(machine: Pick<ConsoleOfMachine['claims'], 'cluster' | 'vmid'>): void;
  /** Handles the signal that a user asks a session for control. */
  onAsked(signal: AskControlSignal): void;
  /** Consoles whose input is held back because another user has control. */
  heldBackConsoles(): number;
  start(): Cancel;
}

export interface ControlRegistration {
  readonly hasControl: boolean;
  /** Resolves when the store has said who has control, or does not answer. Never rejects. */
  readonly known: Promise<void>;
  /** The user asks for control. */
  ask(): void;
  /** Returns the control that the session has. */
  release(): void;
  /** `keepControl`: the session goes on elsewhere, and keeps control if it does so in time. */
  stop(options: { readonly keepControl: boolean }): void;
}

interface RegisteredConsoleDeps extends AskControlDeps {
  readonly controls: Pick<MachineControls, 'release'>;
  readonly forgetIfUnused: (machine: WatchedMachine) => void;
}

export function createControlWatcher(
  deps: Omit<WatchedMachineDeps, 'controls'> &
    Omit<AskControlDeps, 'signals'> & {
      readonly controls: Pick<MachineControls, 'read' | 'renew' | 'release' | 'revision'>;
      readonly signals: Pick<ConsoleSignals, 'publish'>;
      readonly clock: Clock;
    },
): ControlWatcher {
  const { clock, controls } = deps;
  const machines = new Map<string, WatchedMachine>();
  let knownRevision: string | undefined;
  let polledAt = Number.NEGATIVE_INFINITY;
  let polling = false;

  async function poll(): Promise<void> {
    const revision = await controls.revision();
    const all = [...machines.values()];
    const stale = revision === knownRevision ? all.filter(({ needsPolling }) => needsPolling) : all;
    for (let at = 0; at < stale.length; at += batchSize)
      await Promise.all(stale.slice(at, at + batchSize).map((machine) => machine.refresh('poll')));
    knownRevision = revision;
  }

  function tick(): void {
    machines.forEach((machine) => machine.followTime());
    if (polling || machines.size === 0 || clock.now() - polledAt < pollMs) return;
    polling = true;
    polledAt = clock.now();
    // If the store is unavailable, the next poll tries again.
    void poll()
      .catch(() => {})
      .finally(() => (polling = false));
  }

  function forgetIfUnused(machine: WatchedMachine): void {
    const key = keyOf(machine.machine);
    if (machine.isUnused && machines.get(key) === machine) machines.delete(key);
  }

  function watch(machine: WatchedMachine['machine']): WatchedMachine {
    const key = keyOf(machine);
    const { cluster, vmid } = machine;
    const watched = machines.get(key) ?? new WatchedMachine(deps, { cluster, vmid });
    machines.set(key, watched);
    return watched;
  }

  const ofConsoles = { ...deps, forgetIfUnused };
  return {
    register(registered) {
      const machine = watch(registered.claims);
      const console = new ControllableConsole(registered);
      machine.add(console);
      return new RegisteredConsole(ofConsoles, machine, console);
    },
    registerPlace(registered) {
      const machine = watch(registered.claims);
      const place = new ControllablePlace(registered);
      machine.add(place);
      void machine.refresh('poll');
      return () => {
        machine.remove(place);
        forgetIfUnused(machine);
      };
    },
    onChanged: (machine) => void machines.get(keyOf(machine))?.refresh('signal'),
    onAsked({ sessionId, by }) {
      for (const { consoles } of machines.values())
        for (const { hasControl, console } of consoles)
          if (hasControl && console.claims.sessionId === sessionId)
            console.sendControl({ type: 'control_asked', by });
    },
    heldBackConsoles: () =>
      [...machines.values()].reduce(
        (count, { consoles }) => count + consoles.filter(({ isHeldBack }) => isHeldBack).length,
        0,
      ),
    start: () => every(clock, tickMs, tick),
  };
}

/** A class because a relay has thousands. */
class RegisteredConsole implements ControlRegistration {
  readonly known: Promise<void>;
  readonly #deps: RegisteredConsoleDeps;
  readonly #machine: WatchedMachine;
  readonly #console: ControllableConsole;
  #stopped = false;

  constructor(deps: RegisteredConsoleDeps, machine: WatchedMachine, console: ControllableConsole) {
    this.#deps = deps;
    this.#machine = machine;
    this.#console = console;
    this.known = machine.refresh('poll');
  }

  get hasControl(): boolean {
    return this.#console.hasControl;
  }

  ask(): void {
    const { console, mayAsk } = this.#console;
    askControl(this.#deps, console.claims.user, mayAsk);
  }

  release(): void {
    const { hasControl, console } = this.#console;
    if (!hasControl) return;
    const { sessionId } = console.claims;
    // The signal that follows tells all relays, this one included. Without success, the record expires.
    void this.#deps.controls.release(this.#machine.machine, { sessionId }).catch(() => {});
  }

  stop({ keepControl }: { readonly keepControl: boolean }): void {
    if (this.#stopped) return;
    this.#stopped = true;
    if (!keepControl) this.release();
    this.#machine.remove(this.#console);
    this.#console.stop();
    this.#deps.forgetIfUnused(this.#machine);
  }
}

function keyOf({ cluster, vmid }: WatchedMachine['machine']): string {
  return `${cluster}/${vmid}`;
}
