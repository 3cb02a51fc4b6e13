import { z } from 'zod';
import type { Clock } from '../time/clock.ts';
import type { RandomBytes } from '../crypto/random.ts';
import type { SealKeys } from '../crypto/seal.ts';
import { storeKeys } from '../store/keys.ts';
import type { SignalBus } from '../store/ports.ts';
import { openRecord, sealRecord, type SealedRecordType } from '../store/sealed-records.ts';

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
  type: z.literal('terminate'),
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

const nonceBytes = 16;
/**
 * How old a signal may be, by clocks that may differ. What comes later is a recording that somebody plays again, or
 * was held up: whoever carries consoles finds out what is true in the store, at most a few seconds later.
 */
const maxAgeMs = 60_000;
/** Within that time each counts once. Far more than are ever sent in it. */
const maxRememberedNonces = 10_000;

const envelope = z.object({ sentAt: z.number().int(), signal: consoleSignal });
type Envelope = z.infer<typeof envelope>;

/** A signal is not stored, so the name of its channel takes the place of the store key. */
const envelopeRecord = {
  purpose: 'porthole signal v1',
  schema: envelope,
  locate: (nonce) => ({ token: nonce, storeKey: storeKeys.signals }),
} satisfies SealedRecordType<Buffer, Envelope>;

/** Sealed, so that nobody with access to the store can read, forge or repeat a signal. */
export function createConsoleSignals(deps: {
  readonly bus: SignalBus;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
}): ConsoleSignals {
  const { bus, clock } = deps;

  /** The nonce is compared as bytes, because base64url spells the same bytes in several ways. */
  function open(message: string): { readonly nonce: string; readonly envelope: Envelope } | undefined {
    const [written, sealed] = message.split('.', 2);
    if (!written || !sealed) return undefined;
    const nonce = Buffer.from(written, 'base64url');
    const { value } = openRecord(deps.keys, envelopeRecord, nonce, sealed);
    return value && { nonce: nonce.toString('hex'), envelope: value };
  }

  return {
    publish(signal) {
      const nonce = deps.random(nonceBytes);
      const sealed = sealRecord(deps, envelopeRecord, nonce, { sentAt: clock.now(), signal });
      return bus.publish(`${nonce.toString('base64url')}.${sealed}`);
    },
    subscribe(listener) {
      const seenNonces = new Set<string>();
      return bus.subscribe((message) => {
        const opened = open(message);
        if (!opened || seenNonces.has(opened.nonce)) return;
        if (Math.abs(clock.now() - opened.envelope.sentAt) > maxAgeMs) return;
        seenNonces.add(opened.nonce);
        // A set keeps its order, so the first element is the oldest.
        const [oldest] = seenNonces;
        if (seenNonces.size > maxRememberedNonces && oldest !== undefined) seenNonces.delete(oldest);
        listener(opened.envelope.signal);
      });
    },
  };
}
