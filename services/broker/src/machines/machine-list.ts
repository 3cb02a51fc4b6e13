import { PortholeError } from '@porthole/shared/errors';
import type { Clock } from '@porthole/shared/time/clock';
import type { Machine } from './machine.ts';

export interface MachineListing {
  readonly machines: readonly Machine[];
  /** Whether Proxmox gave no newer list, so that the listing can be out of date. */
  readonly stale: boolean;
}

/** The cached machines of one cluster. Refreshed on demand, at most once per `freshMs` for all users. */
export interface MachineList {
  /** For display: an old list rather than none while Proxmox is unavailable. */
  latest(): Promise<MachineListing>;
  /** For decisions: a list that is at most `freshMs` old when Proxmox answers in time. Rejects if there is none. */
  fresh(): Promise<readonly Machine[]>;
  /** Seconds since the last request that Proxmox answered. Undefined before the first. */
  ageSeconds(): number | undefined;
}

const freshMs = 3000;
/** After this, `latest` shows no old list. */
const maxStaleMs = 10 * 60_000;
/** How long `latest` waits for Proxmox before it shows an old list. */
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

  const ageMs = () => clock.now() - answeredAt;

  async function request(): Promise<void> {
    const requestedAt = clock.now();
    try {
      machines = await listMachines();
      // Counted from the request, because the answer need not contain what happened after it.
      answeredAt = requestedAt;
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

  /** Sends one request at a time, and none for `freshMs` after a failure. */
  async function refresh(): Promise<void> {
    if (ageMs() < freshMs || (failure && clock.now() - failure.at < freshMs)) return;
    pending ??= request().finally(() => (pending = undefined));
    await pending;
  }

  return {
    async latest() {
      if (ageMs() < maxStaleMs) await settledOrAfter(clock, maxWaitMs, refresh());
      else await refresh();
      if (ageMs() < freshMs) return { machines, stale: false };
      // After a slow answer, the list is older than `freshMs` and still the newest.
      if (ageMs() < maxStaleMs) return { machines, stale: failure !== undefined || pending !== undefined };
      throw (
        failure?.error ?? new PortholeError('proxmox_timeout', { detail: 'the list of machines is too old' })
      );
    },
    async fresh() {
      await refresh();
      if (failure) throw failure.error;
      return machines;
    },
    ageSeconds: () => (answeredAt === Number.NEGATIVE_INFINITY ? undefined : ageMs() / 1000),
  };
}

/** Settles like `work`, or resolves after `ms` milliseconds while the work goes on. */
function settledOrAfter(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, resolve);
    void work.then(resolve, reject).finally(cancel);
  });
}
