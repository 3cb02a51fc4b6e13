import { z } from 'zod';
import type { Clock } from '../time/clock.ts';
import {
  terminationReason,
  terminationTarget,
  type ConsoleSignals,
  type TerminationReason,
  type TerminationTarget,
} from './signals.ts';
import { PortholeError } from '../errors.ts';
import type { GrantClaims } from '../grant/claims.ts';
import { randomId, type RandomBytes } from '../crypto/random.ts';
import type { SealKeys } from '../crypto/seal.ts';
import { createKeyedDigests } from '../crypto/keyed-digests.ts';
import { lifetimes, storeKeys } from '../store/keys.ts';
import type { RecordStore } from '../store/ports.ts';
import { byDigest, getSealed, putSealed, type SealedRecordType } from '../store/sealed-records.ts';

const terminationOrder = z.object({
  version: z.literal(1),
  target: terminationTarget,
  ...terminationReason.shape,
  at: z.number().int(),
});

const orderRecord = {
  purpose: 'porthole termination order v1',
  schema: terminationOrder,
  locate: byDigest(storeKeys.terminationOrder),
} satisfies SealedRecordType<string, z.infer<typeof terminationOrder>>;

/** The claims of a console by which an order can select it. */
export type TerminationSubject = Pick<GrantClaims, 'sessionId' | 'loginRef' | 'issuedAt'> & {
  readonly user: Pick<GrantClaims['user'], 'id'> & Partial<GrantClaims['user']>;
  /** Missing for the wall of a class, which has no machine of its own. */
  readonly cluster?: string;
  readonly vmid?: number;
};

/**
 * Orders to end consoles at any relay. An order is sent as a signal, which may get lost, and is stored. Relays poll the
 * store, and check it on admission, so that a grant from before the order opens no console after it. An order does not
 * apply to later grants.
 */
export interface TerminationOrders {
  /** Stores the order and sends the signal. */
  issue(target: TerminationTarget, cause: TerminationReason['cause'], by?: string): Promise<void>;
  /** Returns the reason of the order that applies to this console, if there is one. */
  findFor(console: TerminationSubject): Promise<TerminationReason | undefined>;
  /** Changes with every order. Relays poll it, because it is cheaper than to look for orders. */
  revision(): Promise<string | undefined>;
}

export function createTerminationOrders(deps: {
  readonly records: Pick<RecordStore, 'put' | 'get'>;
  readonly signals: Pick<ConsoleSignals, 'publish'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
}): TerminationOrders {
  const { records, signals, random, clock } = deps;
  const names = createKeyedDigests(deps.keys);

  async function find(target: TerminationTarget, issuedAt: number): Promise<TerminationReason | undefined> {
    // While keys rotate, the order may be stored under the digest of another key.
    for (const nameDigest of names.all(nameOf(target))) {
      const { value: order } = await getSealed(deps, orderRecord, nameDigest);
      if (order && isInForce(order, issuedAt)) return { cause: order.cause, by: order.by };
    }
    return undefined;
  }

  return {
    async issue(target, cause, by) {
      const reason = { cause, ...(by === undefined ? {} : { by }) };
      const order = { version: 1, target, ...reason, at: clock.now() } as const;
      // The order first: a relay that sees the new revision must find the order.
      await putSealed(deps, orderRecord, names.of(nameOf(target)), order, lifetimes.terminationOrder);
      await records.put(storeKeys.terminationRevision, randomId(random), lifetimes.terminationOrder);
      await signals.publish({ type: 'terminate', target, ...reason, at: order.at });
    },
    async findFor(console) {
      const found = await Promise.all(targetsOf(console).map((target) => find(target, console.issuedAt)));
      return found.find((reason) => reason !== undefined);
    },
    revision: () => records.get(storeKeys.terminationRevision),
  };
}

/** The error that ends a console. */
export function terminationError({ cause, by }: TerminationReason, detail?: string): PortholeError {
  return new PortholeError(cause, {
    ...(detail === undefined ? {} : { detail }),
    ...(cause === 'ended_by_operator' && by !== undefined ? { publicMessage: `Ended by ${by}.` } : {}),
  });
}

/** All targets that select this console. */
export function targetsOf({
  sessionId,
  loginRef,
  user,
  cluster,
  vmid,
}: TerminationSubject): readonly TerminationTarget[] {
  return [
    { kind: 'session', ref: sessionId },
    { kind: 'login', ref: loginRef },
    { kind: 'user', ref: user.id },
    ...(cluster === undefined ? [] : [{ kind: 'machine' as const, ref: `${cluster}/${vmid}` }]),
  ];
}

/** Whether an order from a signal or from the store applies to this console. */
export function appliesTo(
  order: { readonly target: TerminationTarget; readonly at: number },
  console: TerminationSubject,
): boolean {
  const { kind, ref } = order.target;
  return (
    targetsOf(console).some((target) => target.kind === kind && target.ref === ref) &&
    isInForce(order, console.issuedAt)
  );
}

/** An order applies to grants from before it. An order against a session or a sign-in applies to all, as neither comes back. */
function isInForce(
  { target, at }: { readonly target: TerminationTarget; readonly at: number },
  issuedAt: number,
): boolean {
  return target.kind === 'session' || target.kind === 'login' || at >= issuedAt;
}

function nameOf({ kind, ref }: TerminationTarget): string {
  return `termination/${kind}/${ref}`;
}
