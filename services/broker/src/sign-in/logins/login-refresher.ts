import { randomId, type RandomBytes } from '@porthole/shared/crypto/random';
import { asPortholeError } from '@porthole/shared/errors';
import { leaseNames } from '@porthole/shared/store/keys';
import type { LeaseStore } from '@porthole/shared/store/ports';
import type { Log } from '@porthole/shared/telemetry/log';
import { every, sleep, type Clock } from '@porthole/shared/time/clock';
import type { Login } from './login-sessions.ts';

/**
 * Milliseconds. A broker renews its lease during the refresh, so after a crash the next refresh waits this long. After
 * a failure the lease is left to expire, which limits retries to about two per minute.
 */
const leaseMs = 30_000;
const renewLeaseMs = 10_000;
/** Pauses in milliseconds before the refreshed data is written again after the store failed. */
const storeRetriesMs = [100, 500, 1000, 2000, 4000];

export interface LoginRefresherDeps<Data> {
  readonly method: string;
  readonly leases: Pick<LeaseStore, 'tryAcquire' | 'release'>;
  readonly random: RandomBytes;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** Returns undefined for data that is not of this method. */
  parse(data: unknown): Data | undefined;
  isDue(data: Data): boolean;
  /** Asks the provider. Rejects with `not_signed_in` if the provider ended the sign-in, and otherwise if it failed. */
  refresh(data: Data): Promise<Data>;
  /** Ends a sign-in that the provider ended, and its consoles. */
  revoke(login: Login): Promise<void>;
}

/** Returns the current data, or undefined if the sign-in has ended. */
export type RefreshLogin<Data> = (login: Login, known: Data) => Promise<Data | undefined>;

/**
 * Refreshes sign-ins at their provider. Across all brokers, one request at a time refreshes a sign-in, and the others
 * continue with the known data: a provider that rotates refresh tokens treats a second use as theft and revokes the
 * sign-in (RFC 9700, section 4.14.2). The new token is stored before the lease is released.
 *
 * If a broker crashes between the provider's answer and the write, the old token stays stored. When the lease has
 * expired, the next request tries that token. The provider then either accepts it or ends the sign-in, and the user
 * signs in again.
 */
export function createLoginRefresher<Data>(deps: LoginRefresherDeps<Data>): RefreshLogin<Data> {
  const { method, leases, clock, log } = deps;

  async function refreshLatest(login: Login): Promise<{ data: Data | undefined; failed?: boolean }> {
    // The broker that held the lease before may have refreshed the sign-in already.
    const latest = await login.reload();
    const current = deps.parse(latest?.data);
    if (!latest || current === undefined) return { data: undefined };
    if (!deps.isDue(current)) return { data: current };
    let next: Data;
    try {
      next = await deps.refresh(current);
    } catch (thrown) {
      const { code, detail } = asPortholeError(thrown);
      if (code === 'not_signed_in') {
        log.info({ method, login: login.ref }, 'the provider ended a sign-in');
        await deps.revoke(latest);
        return { data: undefined };
      }
      log.warn({ method, login: login.ref, code, detail }, 'a sign-in could not be refreshed');
      return { data: current, failed: true };
    }
    // Data that is still due holds a new token, but the rest of the refresh failed.
    return { data: await store(latest, next), failed: deps.isDue(next) };
  }

  /** Returns the data that is stored afterwards. */
  async function store(login: Login, next: Data): Promise<Data | undefined> {
    for (const pauseMs of [...storeRetriesMs, undefined]) {
      try {
        if (await login.replaceData(next)) return next;
        // The sign-in ended, or an attempt whose answer was lost has written the data.
        return deps.parse((await login.reload())?.data);
      } catch (thrown) {
        if (pauseMs === undefined)
          log.error({ method, login: login.ref, err: thrown }, 'a refreshed sign-in could not be stored');
        else await sleep(clock, pauseMs);
      }
    }
    return next;
  }

  return async (login, known) => {
    const lease = leaseNames.refreshLogin(login.ref);
    const holder = randomId(deps.random);
    const acquire = () => leases.tryAcquire(lease, holder, 1, leaseMs);
    if (!(await acquire())) return known;
    const stopRenewing = every(clock, renewLeaseMs, () => void acquire().catch(() => {}));
    let failed: boolean | undefined = true;
    try {
      const result = await refreshLatest(login);
      ({ failed } = result);
      return result.data;
    } finally {
      stopRenewing();
      // If the release fails, the lease expires.
      if (!failed) await leases.release(lease, holder).catch(() => {});
    }
  };
}
