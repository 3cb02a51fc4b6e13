import { z } from 'zod';
import { parseJson } from './parse-json.ts';
import type { RandomBytes } from './random.ts';
import { seal, unseal, type SealKeys } from './seal.ts';
import { storeKeys } from './store/keys.ts';
import type { SignalBus } from './store/ports.ts';

export const endTarget = z.object({
  kind: z.enum(['session', 'login', 'user', 'machine']),
  ref: z.string().min(1).max(512),
});
export type EndTarget = z.infer<typeof endTarget>;

export const endCause = z.enum(['signed_out', 'ended_by']);
export type EndCause = z.infer<typeof endCause>;

/** Why a console is ended, and who did it where they may be named. */
export const endReason = z.object({ cause: endCause, by: z.string().min(1).max(128).optional() });
export type EndReason = z.infer<typeof endReason>;

/** An order to every relay: end the consoles that match. Given by end-orders.ts, which writes it down as well. */
const endSignal = z.object({ type: z.literal('end'), target: endTarget, ...endReason.shape });
export type EndSignal = z.infer<typeof endSignal>;

/** The session goes on in another connection: whoever else carries it lets go. */
const takenSignal = z.object({
  type: z.literal('taken'),
  sessionId: z.string().min(1).max(64),
  connection: z.string().min(1).max(64),
});

/** Somebody has begun or ended to look on at this machine: those at its consoles want to know who does now. */
const watchersSignal = z.object({
  type: z.literal('watchers'),
  cluster: z.string().min(1).max(64),
  vmid: z.number().int(),
});

const consoleSignal = z.discriminatedUnion('type', [endSignal, takenSignal, watchersSignal]);
export type ConsoleSignal = z.infer<typeof consoleSignal>;

export interface ConsoleSignals {
  publish(signal: ConsoleSignal): Promise<void>;
  subscribe(listener: (signal: ConsoleSignal) => void): () => void;
}

const purpose = 'porthole signal v1';
const nonceBytes = 16;

/** Sealed like everything else, so that whoever gets at the store can neither read nor send an order. */
export function createConsoleSignals(deps: {
  readonly bus: SignalBus;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
}): ConsoleSignals {
  const storeKey = storeKeys.signals;
  return {
    publish(signal) {
      const token = deps.random(nonceBytes);
      const sealed = seal(deps.keys, deps.random, { token, purpose, storeKey }, JSON.stringify(signal));
      return deps.bus.publish(`${token.toString('base64url')}.${sealed}`);
    },
    subscribe: (listener) =>
      deps.bus.subscribe((message) => {
        const [nonce, sealed] = message.split('.', 2);
        if (!nonce || !sealed) return;
        const plain = unseal(
          deps.keys,
          { token: Buffer.from(nonce, 'base64url'), purpose, storeKey },
          sealed,
        );
        if (plain === undefined) return;
        const signal = consoleSignal.safeParse(parseJson(plain));
        if (signal.success) listener(signal.data);
      }),
  };
}
