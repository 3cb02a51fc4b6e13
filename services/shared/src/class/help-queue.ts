import { z } from 'zod';
import { createKeyedDigests } from '../crypto/keyed-digests.ts';
import type { RandomBytes } from '../crypto/random.ts';
import type { SealKeys } from '../crypto/seal.ts';
import { digest, leaseNames, lifetimes, storeKeys } from '../store/keys.ts';
import type { LeaseStore, RecordStore } from '../store/ports.ts';
import { byDigest, getSealed, putSealed, type SealedRecordType } from '../store/sealed-records.ts';
import { helpText } from './texts.ts';

/** A member of a class who asks for help. */
const raisedHand = z.object({
  version: z.literal(1),
  user: z.object({
    id: z.string().min(1).max(256),
    name: z.string().max(256),
    displayName: z.string().max(256).optional(),
  }),
  /** When the hand was raised, in milliseconds since the epoch. */
  since: z.number().int(),
  text: helpText,
});
export type RaisedHand = z.infer<typeof raisedHand>;

/** By the digest of the lease's holder, which the list of holders answers. */
const handRecord = {
  purpose: 'porthole raised hand v1',
  schema: raisedHand,
  locate: byDigest(storeKeys.raisedHand),
} satisfies SealedRecordType<string, RaisedHand>;

/** Members of one class. Far more than a class has. */
const maxHands = 1000;

/** A place in a queue, as the list of the queue identifies it. */
export type HandRef = string;

/**
 * Who in a class asks for help, in the order in which they asked. A place is a lease: the relay that carries a member's
 * console renews it, so it is lost soon after the last console of the member has ended.
 */
export interface HelpQueue {
  /** Raises the hand or changes its text; the place stays. Answers false, and does nothing, if the queue is full. */
  raise(className: string, hand: RaisedHand): Promise<boolean>;
  lower(className: string, userId: string): Promise<void>;
  /** Renews the place of a user who is in the queue. */
  renew(className: string, userId: string): Promise<void>;
  /** All places, in order: one call to the store. */
  order(className: string): Promise<readonly HandRef[]>;
  /** Position of the user in such an order; 1 is first. Undefined: not in the queue. */
  positionIn(order: readonly HandRef[], className: string, userId: string): number | undefined;
  /** The hands, in order. */
  list(className: string): Promise<readonly RaisedHand[]>;
}

export function createHelpQueue(deps: {
  readonly records: Pick<RecordStore, 'get' | 'put'>;
  readonly leases: Pick<LeaseStore, 'tryAcquire' | 'release' | 'list'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
}): HelpQueue {
  const { leases } = deps;
  const names = createKeyedDigests(deps.keys);
  const leaseOf = (className: string) => leaseNames.help(className);
  /** Keyed, because user ids are guessable. While keys rotate, a user can be in the queue under another one. */
  const holdersOf = (className: string, userId: string) =>
    names.all(`help/${JSON.stringify([className, userId])}`);

  async function currentHolder(className: string, userId: string): Promise<string | undefined> {
    const order = await leases.list(leaseOf(className));
    return holdersOf(className, userId).find((holder) => order.includes(digest(holder)));
  }

  return {
    async raise(className, hand) {
      const { id } = hand.user;
      const current = await currentHolder(className, id);
      const holder = current ?? holdersOf(className, id)[0];
      const before = current === undefined ? undefined : await getSealed(deps, handRecord, digest(current));
      const since = before?.value?.since ?? hand.since;
      // The record first: a reader that finds the place must find what it says.
      await putSealed(deps, handRecord, digest(holder), { ...hand, since }, lifetimes.raisedHand);
      return leases.tryAcquire(leaseOf(className), holder, maxHands, lifetimes.helpPlace);
    },
    async lower(className, userId) {
      await Promise.all(
        holdersOf(className, userId).map((holder) => leases.release(leaseOf(className), holder)),
      );
    },
    async renew(className, userId) {
      const holder = await currentHolder(className, userId);
      if (holder !== undefined)
        await leases.tryAcquire(leaseOf(className), holder, maxHands, lifetimes.helpPlace);
    },
    order: (className) => leases.list(leaseOf(className)),
    positionIn(order, className, userId) {
      const refs = new Set(holdersOf(className, userId).map((holder) => digest(holder)));
      const index = order.findIndex((ref) => refs.has(ref));
      return index < 0 ? undefined : index + 1;
    },
    async list(className) {
      const order = await leases.list(leaseOf(className));
      const found = await Promise.all(order.map((ref) => getSealed(deps, handRecord, ref)));
      return found.flatMap(({ value }) => value ?? []);
    },
  };
}
