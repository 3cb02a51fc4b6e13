import { z } from 'zod';
import type { Clock } from './clock.ts';
import {
  endReason,
  endTarget,
  type ConsoleSignals,
  type EndReason,
  type EndTarget,
} from './console-signals.ts';
import { PortholeError } from './errors.ts';
import type { GrantClaims } from './grant-claims.ts';
import { parseJson } from './parse-json.ts';
import { randomId, type RandomBytes } from './random.ts';
import { seal, unseal, type SealContext, type SealKeys } from './seal.ts';
import { digest, lifetimes, storeKeys } from './store/keys.ts';
import type { RecordStore } from './store/ports.ts';

const endOrder = z.object({
  version: z.literal(1),
  target: endTarget,
  ...endReason.shape,
  at: z.number().int(),
});

/** What of a console an order may name. */
export type Endable = Pick<GrantClaims, 'sessionId' | 'loginRef' | 'user' | 'cluster' | 'vmid' | 'issuedAt'>;

/**
 * Orders to end consoles, wherever they are. Each is told to all relays by a signal, which may get lost, and
 * written to the store, where relays find it at their next look and where admission finds it: a grant that was
 * given before the order opens nothing after it. Later grants are no concern of the order.
 */
export interface EndOrders {
  give(target: EndTarget, cause: EndReason['cause'], by?: string): Promise<void>;
  /** Why a console that rests on this grant must not be open, if so. */
  against(console: Endable): Promise<EndReason | undefined>;
  /** Changes with every order. Cheap to ask, so that relays ask often. */
  stamp(): Promise<string | undefined>;
}

export function createEndOrders(deps: {
  readonly records: Pick<RecordStore, 'put' | 'get'>;
  readonly signals: Pick<ConsoleSignals, 'publish'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
}): EndOrders {
  const { records, signals, keys, random, clock } = deps;

  async function find(target: EndTarget, issuedAt: number): Promise<EndReason | undefined> {
    const context = contextOf(target);
    const sealed = await records.get(context.storeKey);
    const plain = sealed === undefined ? undefined : unseal(keys, context, sealed);
    if (plain === undefined) return undefined;
    const order = endOrder.safeParse(parseJson(plain));
    if (!order.success) return undefined;
    // A session or a sign-in never lives again, whatever a request that was under way still made of it.
    const forGood = target.kind === 'session' || target.kind === 'login';
    if (!forGood && order.data.at < issuedAt) return undefined;
    const { cause, by } = order.data;
    return { cause, by };
  }

  return {
    async give(target, cause, by) {
      const context = contextOf(target);
      const reason = { cause, ...(by === undefined ? {} : { by }) };
      const order = { version: 1, target, ...reason, at: clock.now() } satisfies z.infer<typeof endOrder>;
      // In this order: whoever sees the new stamp finds the order, too.
      await records.put(
        context.storeKey,
        seal(keys, random, context, JSON.stringify(order)),
        lifetimes.endOrder,
      );
      await records.put(storeKeys.endStamp, randomId(random), lifetimes.endOrder);
      await signals.publish({ type: 'end', target, ...reason });
    },
    async against(console) {
      const found = await Promise.all(targetsOf(console).map((target) => find(target, console.issuedAt)));
      return found.find((reason) => reason !== undefined);
    },
    stamp: () => records.get(storeKeys.endStamp),
  };
}

/** What a console that such an order ends is ended with. */
export function endError({ cause, by }: EndReason, detail?: string): PortholeError {
  return new PortholeError(cause, {
    ...(detail === undefined ? {} : { detail }),
    ...(cause === 'ended_by' && by !== undefined ? { said: `Ended by ${by}.` } : {}),
  });
}

/** Everything by which an order may name this console. */
export function targetsOf({ sessionId, loginRef, user, cluster, vmid }: Endable): readonly EndTarget[] {
  return [
    { kind: 'session', ref: sessionId },
    { kind: 'login', ref: loginRef },
    { kind: 'user', ref: user.id },
    { kind: 'machine', ref: `${cluster}/${vmid}` },
  ];
}

/** The salt is no secret: see session-records.ts. */
function contextOf({ kind, ref }: EndTarget): SealContext {
  return {
    token: Buffer.from(digest(`${kind}/${ref}`), 'hex'),
    purpose: 'porthole end order v1',
    storeKey: storeKeys.endOrder(kind, ref),
  };
}
