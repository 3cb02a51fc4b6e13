import { z } from 'zod';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { seal, unseal, type SealContext, type SealKeys } from '@porthole/shared/crypto/seal';
import { PortholeError } from '@porthole/shared/errors';
import { grantClaims } from '@porthole/shared/grant/claims';
import { parseJson } from '@porthole/shared/parse-json';
import { lifetimes, storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';
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

const tokenPattern = /^[A-Za-z0-9_-]{43}$/;

export function createEmbedTokens(deps: {
  readonly records: Pick<RecordStore, 'put' | 'get' | 'take'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
}): EmbedTokens {
  const { records, keys, random, clock } = deps;

  async function write(data: EmbedTokenData, contextOf: ContextOf, ttlMs: number): Promise<string> {
    const token = random(32);
    const context = contextOf(token);
    await records.put(context.storeKey, seal(keys, random, context, JSON.stringify(data)), ttlMs);
    return token.toString('base64url');
  }

  async function read(text: string, contextOf: ContextOf, how: 'get' | 'take'): Promise<EmbedTokenData> {
    const fail = (detail: string) => new PortholeError('embed_token_invalid', { detail });
    if (!tokenPattern.test(text)) throw fail('malformed');
    const context = contextOf(Buffer.from(text, 'base64url'));
    const sealed = await records[how](context.storeKey);
    const plain = sealed === undefined ? undefined : unseal(keys, context, sealed);
    const parsed = embedTokenData.safeParse(plain === undefined ? undefined : parseJson(plain));
    if (!parsed.success) throw fail('unknown, used or expired');
    if (parsed.data.until <= clock.now()) throw fail('expired');
    return parsed.data;
  }

  return {
    createCode: (data) => write(data, codeContext, lifetimes.embedCode),
    async redeemCode(code) {
      const data = await read(code, codeContext, 'take');
      return { token: await write(data, tokenContext, data.until - clock.now()), data };
    },
    read: (token) => read(token, tokenContext, 'get'),
  };
}

type ContextOf = (token: Buffer) => SealContext;
const codeContext: ContextOf = (token) => ({
  token,
  purpose: 'porthole pass code v1',
  storeKey: storeKeys.embedCode(token),
});
const tokenContext: ContextOf = (token) => ({
  token,
  purpose: 'porthole pass v1',
  storeKey: storeKeys.embedToken(token),
});
