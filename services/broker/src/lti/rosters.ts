import { z } from 'zod';
import type { LtiPlatformConfig } from '@porthole/shared/config/lti-schema';
import { createKeyedDigests } from '@porthole/shared/crypto/keyed-digests';
import { randomId, type RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { asPortholeError } from '@porthole/shared/errors';
import { leaseNames, lifetimes, storeKeys } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';
import { byDigest, getSealed, putSealed, type SealedRecordType } from '@porthole/shared/store/sealed-records';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Clock } from '@porthole/shared/time/clock';
import type { BrokerMetrics } from '../metrics.ts';
import type { RequireLogin } from '../sign-in/require-login.ts';
import type { LaunchMessage } from './launch-message.ts';
import { roster, type Roster } from './read-roster.ts';
import { groupsOf } from './roles.ts';

/** After this, the members of a context are read again, and after a failure not before. */
const freshMs = 5 * 60_000;
const retryMs = 60_000;

const storedRoster = z.object({ readAt: z.number(), members: roster });
type StoredRoster = z.infer<typeof storedRoster>;

const rosterRecord = {
  purpose: 'porthole lti roster v1',
  schema: storedRoster,
  locate: byDigest(storeKeys.ltiRoster),
} satisfies SealedRecordType<string, StoredRoster>;

const membershipsRecord = {
  purpose: 'porthole lti memberships v1',
  schema: z.object({ url: z.string() }),
  locate: byDigest(storeKeys.ltiMemberships),
} satisfies SealedRecordType<string, { url: string }>;

/** The members of the contexts that the configuration names in `rosters`. */
export interface Rosters {
  /** Learns from a launch where the platform lists the members of its context. */
  note(message: LaunchMessage): Promise<void>;
  /** The groups that a user of this name has as a member. Never waits for a platform. */
  groupsOf(name: string): Promise<readonly string[]>;
}

export interface RostersDeps {
  readonly platforms: readonly LtiPlatformConfig[];
  readonly read: (platform: LtiPlatformConfig, membershipsUrl: string) => Promise<Roster>;
  readonly store: Pick<Store, 'records' | 'leases'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Pick<Clock, 'now'>;
  readonly metrics: Pick<BrokerMetrics, 'ltiRoster'>;
  readonly log: Pick<Log, 'warn'>;
}

/** Adds the groups of rosters to users, whichever way they have signed in. */
export function withRosterGroups(
  requireLogin: RequireLogin,
  rosters: Pick<Rosters, 'groupsOf'>,
): RequireLogin {
  return async (ctx) => {
    const identity = await requireLogin(ctx);
    if (identity.program) return identity;
    const added = await rosters.groupsOf(identity.user.name);
    if (added.length === 0) return identity;
    const user = { ...identity.user, groups: [...new Set([...identity.user.groups, ...added])] };
    ctx.state.user = user;
    return { ...identity, user };
  };
}

/** The roster of one context, in this process. */
interface Known {
  byName: ReadonlyMap<string, Roster[number]>;
  /** When to look for newer members. */
  nextLook: number;
}

export function createRosters(deps: RostersDeps): Rosters {
  const { platforms, store, clock, log, metrics, random } = deps;
  const { records } = store;
  const digests = createKeyedDigests(deps.keys);
  const sealed = { records, keys: deps.keys, random };
  const known = new Map<string, Known>();
  const listed = platforms.flatMap((platform) => platform.rosters.map((context) => ({ platform, context })));
  const idOf = (platform: LtiPlatformConfig, context: string) =>
    digests.of(`lti/${platform.name}/${context}`);

  async function refresh(platform: LtiPlatformConfig, context: string): Promise<Roster | undefined> {
    const id = idOf(platform, context);
    const { value: memberships } = await getSealed(sealed, membershipsRecord, id);
    // No launch has told the address yet.
    if (!memberships) return undefined;
    const lease = leaseNames.refreshRoster(platform.name, context);
    // Not released: a platform is asked once in this time, by whichever broker comes first.
    if (!(await store.leases.tryAcquire(lease, randomId(random, 12), 1, retryMs))) return undefined;
    const members = await deps.read(platform, memberships.url);
    await putSealed(sealed, rosterRecord, id, { readAt: clock.now(), members }, lifetimes.ltiRoster);
    metrics.ltiRoster('ok');
    return members;
  }

  function remember(key: string, members: Roster, nextLook: number): Known {
    const one = { byName: new Map(members.map((member) => [member.name, member])), nextLook };
    known.set(key, one);
    return one;
  }

  async function current(platform: LtiPlatformConfig, context: string): Promise<Known> {
    const key = `${platform.name}/${context}`;
    const found = known.get(key);
    const now = clock.now();
    if (found && now < found.nextLook) return found;
    // Other requests use what is known meanwhile.
    if (found) found.nextLook = now + retryMs;
    const { value } = await getSealed(sealed, rosterRecord, idOf(platform, context));
    const isFresh = value !== undefined && now < value.readAt + freshMs;
    const one = remember(key, value?.members ?? [], isFresh ? value.readAt + freshMs : now + retryMs);
    if (!isFresh)
      void refresh(platform, context).then(
        (members) => members && remember(key, members, clock.now() + freshMs),
        (thrown: unknown) => {
          const { code, detail } = asPortholeError(thrown);
          metrics.ltiRoster(code);
          log.warn({ platform: platform.name, code, detail }, 'the members of a course could not be read');
        },
      );
    return one;
  }

  return {
    async note({ platform: name, context, membershipsUrl }) {
      const platform = platforms.find((each) => each.name === name);
      if (!platform || !context || membershipsUrl === undefined) return;
      if (!platform.rosters.includes(context.id)) return;
      const id = idOf(platform, context.id);
      await putSealed(sealed, membershipsRecord, id, { url: membershipsUrl }, lifetimes.ltiMemberships);
    },
    async groupsOf(userName) {
      const found = await Promise.all(
        listed.map(async ({ platform, context }) => {
          const { byName } = await current(platform, context);
          const member = byName.get(userName);
          return member ? groupsOf(platform, context, member.roles) : [];
        }),
      );
      return found.flat();
    },
  };
}
