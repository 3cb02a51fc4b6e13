import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { createToken } from '@porthole/shared/crypto/token';
import { PortholeError } from '@porthole/shared/errors';
import { grantClaims, type GrantClaims } from '@porthole/shared/grant/claims';
import { lifetimes, storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';
import { byToken, putSealed, takeSealed, type SealedRecordType } from '@porthole/shared/store/sealed-records';
import type { Clock } from '@porthole/shared/time/clock';
import { z } from 'zod';
import type { RelayAddress } from './contracts.ts';

const forwardFacts = z.object({
  claims: grantClaims,
  /** The only relay that may use it. */
  to: z.string().min(1).max(300),
  /** Milliseconds since the epoch. */
  expiresAt: z.number().int(),
});
type ForwardFacts = z.infer<typeof forwardFacts>;

const forwardRecord = {
  purpose: 'porthole forward v1',
  schema: forwardFacts,
  locate: byToken(storeKeys.forward),
} satisfies SealedRecordType<string, ForwardFacts>;

/**
 * The store expires the record after `lifetimes.forward`. A record that was put back later is invalid after this time,
 * which is longer, because the clocks of two relays differ.
 */
const validMs = 60_000;

interface ForwardTokenDeps<Method extends keyof RecordStore> {
  readonly records: Pick<RecordStore, Method>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
}

/** Stores the viewer's claims, sealed, and answers the token with which the relay `to` can take them once. */
export async function createForwardToken(
  deps: ForwardTokenDeps<'put'>,
  to: RelayAddress,
  claims: GrantClaims,
): Promise<string> {
  const token = createToken(deps.random);
  const facts = { claims, to, expiresAt: deps.clock.now() + validMs };
  await putSealed(deps, forwardRecord, token, facts, lifetimes.forward);
  return token;
}

/**
 * Takes the claims of a forwarded viewer out of the store. Rejects with `grant_invalid` if the token is unknown, used,
 * expired, forged, or meant for another relay.
 */
export async function takeForwardToken(
  deps: Omit<ForwardTokenDeps<'take'>, 'random'>,
  self: RelayAddress,
  token: string,
): Promise<GrantClaims> {
  const { value, problem } = await takeSealed(deps, forwardRecord, token);
  const invalid = (detail: string) => new PortholeError('grant_invalid', { detail: `forward: ${detail}` });
  if (!value) throw invalid(problem);
  if (value.to !== self) throw invalid('meant for another relay');
  if (value.expiresAt <= deps.clock.now()) throw invalid('expired');
  return value.claims;
}
