import { z } from 'zod';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { createToken } from '@porthole/shared/crypto/token';
import { PortholeError } from '@porthole/shared/errors';
import { grantClaims } from '@porthole/shared/grant/claims';
import { lifetimes, storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';
import {
  byToken,
  getSealed,
  putSealed,
  takeSealed,
  type OpenedRecord,
  type SealedRecordType,
} from '@porthole/shared/store/sealed-records';
import type { Clock } from '@porthole/shared/time/clock';

/** What an embed token allows: opening one console as one user. */
const embedTokenData = z.object({
  user: z.object({ id: z.string(), name: z.string(), groups: z.array(z.string()) }),
  /** The program that asked on behalf of the user. */
  program: z.object({ id: z.string(), name: z.string() }),
  loginRef: z.string(),
  cluster: z.string(),
  vmid: z.number().int(),
  mode: grantClaims.shape.mode,
  kind: grantClaims.shape.kind,
  /** Milliseconds since the epoch. */
  until: z.number(),
});
export type EmbedTokenData = z.infer<typeof embedTokenData>;

/**
 * Tokens for console pages that a program embeds. The program's user has no sign-in at Porthole, and a frame on another
 * site gets no cookie. So the fragment of the page's URL, which no server and no log sees, carries a one-time code. The
 * page exchanges the code for a token, keeps the token, and sends it with each request for the console.
 */
export interface EmbedTokens {
  createCode(data: EmbedTokenData): Promise<string>;
  /** Works once for each code. Rejects with `embed_token_invalid`. */
  redeemCode(code: string): Promise<{ readonly token: string; readonly data: EmbedTokenData }>;
  /** Rejects with `embed_token_invalid`. */
  read(token: string): Promise<EmbedTokenData>;
}

const codeRecord = {
  purpose: 'porthole embed code v1',
  schema: embedTokenData,
  locate: byToken(storeKeys.embedCode),
} satisfies SealedRecordType<string, EmbedTokenData>;

const tokenRecord = {
  purpose: 'porthole embed token v1',
  schema: embedTokenData,
  locate: byToken(storeKeys.embedToken),
} satisfies SealedRecordType<string, EmbedTokenData>;

export function createEmbedTokens(deps: {
  readonly records: Pick<RecordStore, 'put' | 'get' | 'take'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
}): EmbedTokens {
  const { random, clock } = deps;

  function check({ value, problem }: OpenedRecord<EmbedTokenData>): EmbedTokenData {
    const fail = (detail: string) => new PortholeError('embed_token_invalid', { detail });
    if (!value) throw fail(problem === 'malformed_id' ? 'malformed' : 'unknown, used or expired');
    if (value.until <= clock.now()) throw fail('expired');
    return value;
  }

  return {
    async createCode(data) {
      const code = createToken(random);
      await putSealed(deps, codeRecord, code, data, lifetimes.embedCode);
      return code;
    },
    async redeemCode(code) {
      const data = check(await takeSealed(deps, codeRecord, code));
      const token = createToken(random);
      await putSealed(deps, tokenRecord, token, data, data.until - clock.now());
      return { token, data };
    },
    read: async (token) => check(await getSealed(deps, tokenRecord, token)),
  };
}
