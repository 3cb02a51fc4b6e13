import { z } from 'zod';
import type { Clock } from '../time/clock.ts';
import { parseJson } from '../parse-json.ts';
import type { RandomBytes } from '../crypto/random.ts';
import { seal, unseal, type SealKeys } from '../crypto/seal.ts';
import { storeKeys } from '../store/keys.ts';
import type { SignalBus } from '../store/ports.ts';

export const terminationTarget = z.object({
  kind: z.enum(['session', 'login', 'user', 'machine']),
  ref: z.string().min(1).max(512),
});
export type TerminationTarget = z.infer<typeof terminationTarget>;

export const terminationCause = z.enum(['signed_out', 'ended_by_operator']);
export type TerminationCause = z.infer<typeof terminationCause>;

/** Why a console is ended, and who did it where they may be named. */
export const terminationReason = z.object({
  cause: terminationCause,
  by: z.string().min(1).max(128).optional(),
});
export type TerminationReason = z.infer<typeof terminationReason>;

/**
 * An order to every relay: end the consoles that match. Given by end-orders.ts, which writes it down as well. `at`
 * says when, in milliseconds since the epoch: consoles that were granted later are not meant.
 */
const terminationSignal = z.object({
  type: z.literal('end'),
  target: terminationTarget,
  ...terminationReason.shape,
  at: z.number().int(),
});
export type TerminationSignal = z.infer<typeof terminationSignal>;

/** The session goes on in another connection: whoever else carries it lets go. */
const supersededSignal = z.object({
  type: z.literal('superseded'),
  sessionId: z.string().min(1).max(64),
  connection: z.string().min(1).max(64),
});

/** Somebody has begun or ended to look on at this machine: those at its consoles want to know who does now. */
const observersSignal = z.object({
  type: z.literal('observers'),
  cluster: z.string().min(1).max(64),
  vmid: z.number().int(),
});

const consoleSignal = z.discriminatedUnion('type', [terminationSignal, supersededSignal, observersSignal]);
export type ConsoleSignal = z.infer<typeof consoleSignal>;

export interface ConsoleSignals {
  publish(signal: ConsoleSignal): Promise<void>;
  subscribe(listener: (signal: ConsoleSignal) => void): () => void;
}

const purpose = 'porthole signal v1';
const nonceBytes = 16;
/**
 * How old a signal may be, by clocks that may differ. What comes later is a recording that somebody plays again, or
 * was held up: whoever carries consoles finds out what is true in the store, at most a few seconds later.
 */
const liveMs = 60_000;
/** Within that time each counts once. Far more than are ever sent in it. */
const mostRemembered = 10_000;

const envelope = z.object({ sentAt: z.number().int(), signal: consoleSignal });

/** Sealed like everything else, so that whoever gets at the store can neither read nor send an order, nor repeat one. */
export function createConsoleSignals(deps: {
  readonly bus: SignalBus;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
}): ConsoleSignals {
  const { bus, keys, random, clock } = deps;
  const storeKey = storeKeys.signals;

  /** What is sealed, and by what it is known: the bytes of the nonce, as they can be spelled in several ways. */
  function open(message: string): { nonce: string; sent: z.infer<typeof envelope> } | undefined {
    const [written, sealed] = message.split('.', 2);
    if (!written || !sealed) return undefined;
    const token = Buffer.from(written, 'base64url');
    const plain = unseal(keys, { token, purpose, storeKey }, sealed);
    const sent = envelope.safeParse(plain === undefined ? undefined : parseJson(plain));
    return sent.success ? { nonce: token.toString('hex'), sent: sent.data } : undefined;
  }

  return {
    publish(signal) {
      const token = random(nonceBytes);
      const plain = JSON.stringify({ sentAt: clock.now(), signal } satisfies z.infer<typeof envelope>);
      return bus.publish(
        `${token.toString('base64url')}.${seal(keys, random, { token, purpose, storeKey }, plain)}`,
      );
    },
    subscribe(listener) {
      const heard = new Set<string>();
      return bus.subscribe((message) => {
        const opened = open(message);
        if (!opened || Math.abs(clock.now() - opened.sent.sentAt) > liveMs || heard.has(opened.nonce)) return;
        heard.add(opened.nonce);
        // A set keeps the order: the oldest goes first.
        const [oldest] = heard;
        if (heard.size > mostRemembered && oldest !== undefined) heard.delete(oldest);
        listener(opened.sent.signal);
      });
    },
  };
}
