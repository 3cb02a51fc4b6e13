import type { Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import type { Machine } from './machine.ts';

export interface Listing {
  readonly machines: readonly Machine[];
  /** True when Proxmox did not give a newer one: what it says may no longer be so. */
  readonly stale: boolean;
}

/** The machines of one cluster, asked for at most once per `freshMs`, however many people look. */
export interface MachineList {
  /** For people to look at. Rather an old list than none while Proxmox is away. */
  latest(): Promise<Listing>;
  /** For decisions: not older than `freshMs`, or the error that says why there is none. */
  fresh(): Promise<readonly Machine[]>;
  /** Seconds since Proxmox last answered; undefined before it ever did. */
  ageSeconds(): number | undefined;
}

const freshMs = 3000;
/** After this, a list says more about the past than about the cluster. */
const staleMs = 10 * 60_000;
/** With an old list at hand, nobody waits longer than this for a Proxmox that may not answer at all. */
const maxWaitMs = 2000;

export function createMachineList(deps: {
  readonly listMachines: () => Promise<readonly Machine[]>;
  readonly clock: Clock;
  readonly onRefresh?: (error: PortholeError | undefined) => void;
}): MachineList {
  const { clock, listMachines, onRefresh } = deps;
  let machines: readonly Machine[] = [];
  let answeredAt = Number.NEGATIVE_INFINITY;
  let failure: { readonly error: PortholeError; readonly at: number } | undefined;
  let pending: Promise<void> | undefined;

  const age = () => clock.now() - answeredAt;

  async function ask(): Promise<void> {
    const askedAt = clock.now();
    try {
      machines = await listMachines();
      // Counted from the question: what happened after it need not be in the answer.
      answeredAt = askedAt;
      failure = undefined;
    } catch (thrown) {
      const error =
        thrown instanceof PortholeError
          ? thrown
          : new PortholeError('proxmox_invalid_response', { cause: thrown });
      failure = { error, at: clock.now() };
    }
    onRefresh?.(failure?.error);
  }

  /** Resolves when the list is as fresh as it gets: one question in flight, and none right after one that failed. */
  async function refresh(): Promise<void> {
    if (age() < freshMs || (failure && clock.now() - failure.at < freshMs)) return;
    pending ??= ask().finally(() => (pending = undefined));
    await pending;
  }

  return {
    async latest() {
      if (age() < staleMs) await waitUpTo(clock, maxWaitMs, refresh());
      else await refresh();
      if (age() < freshMs) return { machines, stale: false };
      // A slow answer: its question is old, but it is the newest that Proxmox gave.
      if (age() < staleMs) return { machines, stale: failure !== undefined || pending !== undefined };
      throw reason();
    },
    async fresh() {
      await refresh();
      if (failure) throw failure.error;
      return machines;
    },
    ageSeconds: () => (answeredAt === Number.NEGATIVE_INFINITY ? undefined : age() / 1000),
  };

  function reason(): PortholeError {
    return (
      failure?.error ?? new PortholeError('proxmox_timeout', { detail: 'the list of machines is too old' })
    );
  }
}

function waitUpTo(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, resolve);
    work.then(resolve, reject).finally(cancel);
  });
}
