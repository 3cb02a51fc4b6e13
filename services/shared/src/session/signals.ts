import { z } from 'zod';
import { shownName } from '../class/texts.ts';
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

/** Why a console is ended. `by` is the operator, if the configuration allows to name operators. */
export const terminationReason = z.object({
  cause: terminationCause,
  by: z.string().min(1).max(128).optional(),
});
export type TerminationReason = z.infer<typeof terminationReason>;

/**
 * Tells all relays to end matching consoles. termination-orders.ts sends it, and stores the order as well. `at` is in
 * milliseconds since the epoch: the order does not apply to consoles that were granted later.
 */
const terminationSignal = z.object({
  type: z.literal('terminate'),
  target: terminationTarget,
  ...terminationReason.shape,
  at: z.number().int(),
});
export type TerminationSignal = z.infer<typeof terminationSignal>;

/** A connection of this generation owns the session now. Older connections must end. */
const supersededSignal = z.object({
  type: z.literal('superseded'),
  sessionId: z.string().min(1).max(64),
  generation: z.number().int().positive(),
});
export type SupersededSignal = z.infer<typeof supersededSignal>;

/** The observers of a machine changed. Relays must tell the viewers of its consoles. */
const observersSignal = z.object({
  type: z.literal('observers'),
  cluster: z.string().min(1).max(64),
  vmid: z.number().int(),
});

/** The state of a class changed. Relays must read it, for the consoles of its members. */
const classSignal = z.object({ type: z.literal('class'), name: z.string().min(1).max(64) });

/** Control of a machine was taken or released. Relays must read who has it. */
const controlSignal = z.object({
  type: z.literal('control'),
  cluster: z.string().min(1).max(64),
  vmid: z.number().int(),
});

/** A user asks for control of a machine back. The relay that carries this session of the holder tells its page. */
const askControlSignal = z.object({
  type: z.literal('ask_control'),
  sessionId: z.string().min(1).max(64),
  by: shownName,
});
export type AskControlSignal = z.infer<typeof askControlSignal>;

const consoleSignal = z.discriminatedUnion('type', [
  terminationSignal,
  supersededSignal,
  observersSignal,
  classSignal,
  controlSignal,
  askControlSignal,
]);
export type ConsoleSignal = z.infer<typeof consoleSignal>;

export interface ConsoleSignals {
  publish(signal: ConsoleSignal): Promise<void>;
  subscribe(listener: (signal: ConsoleSignal) => void): () => void;
}

const nonceBytes = 16;
/**
 * Maximum age of a signal, including clock skew. An older signal is delayed or replayed, so it is dropped: relays read
 * the state from the store anyway, within a few seconds.
 */
const maxAgeMs = 60_000;
/** Nonces that are remembered to detect replays. More than the signals of `maxAgeMs`. */
const maxRememberedNonces = 10_000;

const envelope = z.object({ sentAt: z.number().int(), signal: consoleSignal });
type Envelope = z.infer<typeof envelope>;

/** A signal is not stored, so the name of its channel takes the place of the store key. */
const envelopeRecord = {
  purpose: 'porthole signal v1',
  schema: envelope,
  locate: (nonce) => ({ token: nonce, storeKey: storeKeys.signals }),
} satisfies SealedRecordType<Buffer, Envelope>;

/** Sealed, so that an attacker with access to the store can neither read, forge nor repeat a signal. */
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
