import { every } from '@porthole/shared/time/clock';
import type { ConsoleSignals } from '@porthole/shared/session/signals';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { SessionRecord, SessionRecords } from '@porthole/shared/session/records';
import { lifetimes } from '@porthole/shared/store/keys';
import { takePlaces, type Places, type PlacesDeps } from './quota.ts';

/** A console as all pods see it: its record and its places, kept alive by a heartbeat. */
export interface Presence {
  /** It is over: nothing stays behind. */
  end(): Promise<void>;
  /** Its viewer may come back soon, to whichever relay. */
  leave(): Promise<void>;
}

export interface PresenceDeps extends PlacesDeps {
  readonly sessions: SessionRecords;
  readonly signals: Pick<ConsoleSignals, 'publish'>;
}

/**
 * Enters the console among the live ones. The newest connection of a session owns it: the one before is told by
 * a signal, or else finds out by its next heartbeat, and then touches nothing that belongs to the newcomer.
 */
export async function appear(
  deps: PresenceDeps,
  claims: GrantClaims,
  on: {
    readonly signal: AbortSignal;
    /** The record as it should read now. */
    readonly describe: () => SessionRecord;
    /** Another connection owns the session. */
    readonly taken: () => void;
  },
): Promise<Presence> {
  const { sessionId } = claims;
  const { connection } = on.describe();
  // Before the places, so that an old connection that ends right now lets go of them no more.
  const owned = await deps.sessions.claim(on.describe());
  // Should the signal fail, the heartbeat tells.
  if (claims.resumes)
    void deps.signals.publish({ type: 'superseded', sessionId, connection }).catch(() => {});
  let places: Places;
  try {
    places = await takePlaces(deps, claims, on.signal);
  } catch (error) {
    await owned.remove().catch(() => false);
    throw error;
  }

  /** One after the other: a renewal that came after the removal would bring the record back. */
  let last = Promise.resolve(true);
  let busy = false;
  const inTurn = (work: () => Promise<boolean>) => {
    busy = true;
    last = last
      .then(work)
      // The store is away: live consoles go on, and what is left behind runs out by itself.
      .catch(() => true)
      .finally(() => (busy = false));
    return last;
  };
  const beat = () => {
    if (!busy) void inTurn(() => owned.renew(on.describe())).then((mine) => mine || on.taken());
  };
  const cancel = every(deps.clock, lifetimes.session / 6, beat);

  return {
    async end() {
      cancel();
      await ((await inTurn(() => owned.remove())) ? places.release() : places.leaveToOther());
    },
    async leave() {
      cancel();
      const mine = await inTurn(() => owned.renew(on.describe(), lifetimes.resumeGrace));
      await (mine ? places.keepFor(lifetimes.resumeGrace) : places.leaveToOther());
    },
  };
}

/** The record of a console, from what was granted and what is known since. */
export function recordOf(
  claims: GrantClaims,
  now: Pick<SessionRecord, 'connection' | 'relay' | 'node' | 'since' | 'bytes'>,
): SessionRecord {
  const { sessionId, loginRef, user, cluster, type, vmid, machineName, mode, kind, observer } = claims;
  const { id, name, displayName } = user;
  return {
    version: 1,
    sessionId,
    loginRef,
    user: { id, name, ...(displayName === undefined ? {} : { displayName }) },
    cluster,
    type,
    vmid,
    machineName,
    mode,
    kind,
    ...(observer === undefined ? {} : { observer }),
    ...now,
  };
}
