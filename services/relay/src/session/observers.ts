import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import type { ConsoleSignals } from '@porthole/shared/session/signals';
import { maxObserversNamed, type ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { SessionRecord, SessionRecords } from '@porthole/shared/session/records';
import type { WallRecords } from '@porthole/shared/session/walls';
import { leaseNames } from '@porthole/shared/store/keys';

/** While a machine is observed: how long an observer whose relay died may still be named, besides its record's life. */
const observedRefreshMs = 10_000;
/** Otherwise: how long an observer whose signal was lost may go unnoticed. */
const unobservedRefreshMs = 60_000;
const tickMs = 1000;
/** Machines that are refreshed in one tick, so that a full relay spreads its calls to the store. */
const refreshesPerTick = 50;

type Machine = Pick<GrantClaims, 'cluster' | 'vmid'>;
type User = SessionRecord['user'];
type SendControl = (message: ControlMessage) => void;

/**
 * Tells the consoles of this relay who observes their machines, at any relay: in a console, or on a wall. The records of
 * sessions and walls are the truth, and vanish with the relay that wrote them. Signals say when to read them; a lost signal is made up for by polling.
 */
export interface ObserverNotifier {
  /** From now on, the console is told who observes its machine. Observers themselves are told nothing. */
  register(
    claims: Pick<GrantClaims, 'cluster' | 'vmid' | 'user' | 'observer'>,
    sendControl: SendControl,
  ): Cancel;
  /** The session has begun or ended. If it is an observer's, all relays are told to refresh the machine. */
  notifyChanged(claims: Pick<GrantClaims, 'cluster' | 'vmid' | 'observer'>): void;
  /** Handles the signal that an observer of this machine has begun or ended. */
  onChanged(machine: Machine): void;
  start(): Cancel;
}

interface ObservedMachine {
  readonly consoles: Set<(observers: readonly User[]) => void>;
  readonly id: Machine;
  readonly leaseName: string;
  observers: readonly User[];
  refreshedAt: number;
  refreshing: boolean;
  refreshAgain: boolean;
}

export function createObserverNotifier(deps: {
  readonly sessions: Pick<SessionRecords, 'list'>;
  readonly walls: Pick<WallRecords, 'usersWatching'>;
  readonly signals: Pick<ConsoleSignals, 'publish'>;
  readonly clock: Clock;
}): ObserverNotifier {
  const { sessions, walls, signals, clock } = deps;
  const machines = new Map<string, ObservedMachine>();

  async function refresh(machine: ObservedMachine): Promise<void> {
    machine.refreshAgain = machine.refreshing;
    if (machine.refreshing) return;
    machine.refreshing = true;
    machine.refreshedAt = clock.now();
    try {
      const [records, users] = await Promise.all([
        sessions.list(machine.leaseName),
        walls.usersWatching(machine.id),
      ]);
      const observers = records.filter(({ observer }) => observer === true);
      machine.observers = distinctUsers([...observers.map(({ user }) => user), ...users]);
      for (const notify of machine.consoles) notify(machine.observers);
    } catch {
      // The store is unavailable: what was known stays until the next refresh.
    } finally {
      machine.refreshing = false;
    }
    if (machine.refreshAgain) await refresh(machine);
  }

  function refreshStale(): void {
    const now = clock.now();
    let refreshes = 0;
    for (const machine of machines.values()) {
      const maxAgeMs = machine.observers.length > 0 ? observedRefreshMs : unobservedRefreshMs;
      if (now - machine.refreshedAt < maxAgeMs) continue;
      void refresh(machine);
      if (++refreshes === refreshesPerTick) return;
    }
  }

  return {
    register(claims, sendControl) {
      if (claims.observer) return () => {};
      const leaseName = leaseNames.machine(claims.cluster, claims.vmid);
      const machine = machines.get(leaseName) ?? {
        consoles: new Set(),
        id: { cluster: claims.cluster, vmid: claims.vmid },
        leaseName,
        observers: [],
        refreshedAt: 0,
        refreshing: false,
        refreshAgain: false,
      };
      machines.set(leaseName, machine);
      const notify = createConsoleNotifier(claims.user.id, sendControl);
      machine.consoles.add(notify);
      notify(machine.observers);
      void refresh(machine);
      return () => {
        machine.consoles.delete(notify);
        if (machine.consoles.size === 0) machines.delete(leaseName);
      };
    },
    notifyChanged({ cluster, vmid, observer }) {
      // If the signal is lost, the other relays find out by polling.
      if (observer) void signals.publish({ type: 'observers', cluster, vmid }).catch(() => {});
    },
    onChanged({ cluster, vmid }) {
      const machine = machines.get(leaseNames.machine(cluster, vmid));
      if (machine) void refresh(machine);
    },
    start: () => every(clock, tickMs, refreshStale),
  };
}

/** Each user once, whatever the number of their windows. */
function distinctUsers(users: readonly User[]): readonly User[] {
  return [...new Map(users.map((user) => [user.id, user])).values()];
}

/** Tells one console who observes it, when that has changed. Users are not told of their own windows. */
function createConsoleNotifier(
  ownId: string,
  sendControl: SendControl,
): (observers: readonly User[]) => void {
  let lastSent = '';
  return (observers) => {
    const names = observers
      .filter(({ id }) => id !== ownId)
      .map(({ name, displayName }) => displayName ?? name)
      .toSorted((a, b) => a.localeCompare(b));
    const by = names.slice(0, maxObserversNamed);
    const others = names.length - by.length;
    const next = by.length === 0 ? '' : JSON.stringify([by, others]);
    if (next === lastSent) return;
    lastSent = next;
    sendControl({ type: 'observers', by, others });
  };
}
