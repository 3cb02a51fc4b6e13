import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import type { ConsoleSignals } from '@porthole/shared/session/signals';
import { maxObserversNamed, type ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { SessionRecord, SessionRecords } from '@porthole/shared/session/records';
import { leaseNames } from '@porthole/shared/store/keys';

/** While somebody looks on: how long a watcher whose relay died may still be named, besides its record's life. */
const watchedLookMs = 10_000;
/** Otherwise: how long a watcher may go unnoticed whose signal got lost. */
const unwatchedLookMs = 60_000;
const tickMs = 1000;
/** Machines that are looked up in one tick, so that a relay full of consoles asks the store evenly. */
const looksPerTick = 50;

type Machine = Pick<GrantClaims, 'cluster' | 'vmid'>;
type Person = SessionRecord['user'];

/**
 * Tells the consoles of this relay who looks on at their machines, at any relay. What is true stands in the records
 * of the sessions, which vanish with the relay that wrote them; signals say when to look, and now and then it is
 * looked without one.
 */
export interface ObserverNotifier {
  /** A console is open: from now on it hears who looks on. Those who look on themselves hear nothing. */
  attend(claims: Pick<GrantClaims, 'cluster' | 'vmid' | 'user' | 'observer'>, tell: Tell): Cancel;
  /** This session has begun or ended. If it is somebody who looks on, everybody is told to look. */
  announce(claims: Pick<GrantClaims, 'cluster' | 'vmid' | 'observer'>): void;
  /** Somebody has begun or ended to look on at this machine. */
  changed(machine: Machine): void;
  start(): Cancel;
}

type Tell = (message: ControlMessage) => void;

interface Attended {
  readonly consoles: Set<(observers: readonly Person[]) => void>;
  readonly leaseName: string;
  observers: readonly Person[];
  lookedAt: number;
  looking: boolean;
  again: boolean;
}

export function createObserverNotifier(deps: {
  readonly sessions: Pick<SessionRecords, 'list'>;
  readonly signals: Pick<ConsoleSignals, 'publish'>;
  readonly clock: Clock;
}): ObserverNotifier {
  const { sessions, signals, clock } = deps;
  const machines = new Map<string, Attended>();

  async function look(machine: Attended): Promise<void> {
    machine.again = machine.looking;
    if (machine.looking) return;
    machine.looking = true;
    machine.lookedAt = clock.now();
    try {
      const records = await sessions.list(machine.leaseName);
      machine.observers = peopleOf(records.filter(({ observer }) => observer === true));
      for (const hear of machine.consoles) hear(machine.observers);
    } catch {
      // The store is away: what was known stays, and it is looked again.
    } finally {
      machine.looking = false;
    }
    if (machine.again) await look(machine);
  }

  function lookAround(): void {
    const now = clock.now();
    let looks = 0;
    for (const machine of machines.values()) {
      const every = machine.observers.length > 0 ? watchedLookMs : unwatchedLookMs;
      if (now - machine.lookedAt < every) continue;
      void look(machine);
      if (++looks === looksPerTick) return;
    }
  }

  return {
    attend(claims, tell) {
      if (claims.observer) return () => {};
      const leaseName = leaseNames.machine(claims.cluster, claims.vmid);
      const machine = machines.get(leaseName) ?? {
        consoles: new Set(),
        leaseName,
        observers: [],
        lookedAt: 0,
        looking: false,
        again: false,
      };
      machines.set(leaseName, machine);
      const hear = createListener(claims.user.id, tell);
      machine.consoles.add(hear);
      hear(machine.observers);
      void look(machine);
      return () => {
        machine.consoles.delete(hear);
        if (machine.consoles.size === 0) machines.delete(leaseName);
      };
    },
    announce({ cluster, vmid, observer }) {
      // Should the signal get lost, the others find out by themselves.
      if (observer) void signals.publish({ type: 'observers', cluster, vmid }).catch(() => {});
    },
    changed({ cluster, vmid }) {
      const machine = machines.get(leaseNames.machine(cluster, vmid));
      if (machine) void look(machine);
    },
    start: () => every(clock, tickMs, lookAround),
  };
}

/** Each person once, whatever the number of their windows. */
function peopleOf(records: readonly SessionRecord[]): readonly Person[] {
  return [...new Map(records.map(({ user }) => [user.id, user])).values()];
}

/** Tells one console who looks on, when that has changed. People know of their own windows. */
function createListener(ownId: string, tell: Tell): (observers: readonly Person[]) => void {
  let told = '';
  return (observers) => {
    const names = observers
      .filter(({ id }) => id !== ownId)
      .map(({ name, displayName }) => displayName ?? name)
      .toSorted((a, b) => a.localeCompare(b));
    const by = names.slice(0, maxObserversNamed);
    const others = names.length - by.length;
    const now = by.length === 0 ? '' : JSON.stringify([by, others]);
    if (now === told) return;
    told = now;
    tell({ type: 'observers', by, others });
  };
}
