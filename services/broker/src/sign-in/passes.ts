import { z } from 'zod';
import type { Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import { grantClaims } from '@porthole/shared/grant/claims';
import { parseJson } from '@porthole/shared/parse-json';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { seal, unseal, type SealContext, type SealKeys } from '@porthole/shared/crypto/seal';
import { lifetimes, storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';

/** What a page may do that a program opened for somebody: ask for this one console, as this user. */
const passFacts = z.object({
  user: z.object({ id: z.string(), name: z.string(), groups: z.array(z.string()) }),
  program: z.object({ id: z.string(), name: z.string() }),
  loginRef: z.string(),
  cluster: z.string(),
  vmid: z.number().int(),
  mode: grantClaims.shape.mode,
  kind: grantClaims.shape.kind,
  /** Milliseconds since the epoch. */
  until: z.number(),
});
export type PassFacts = z.infer<typeof passFacts>;

/**
 * A program's user has no sign-in at Porthole, and in a frame on another site no cookie either. So the page's address
 * carries, behind the #, which no server and no log sees, a code that counts once. The page exchanges it for a pass,
 * which it keeps and shows whenever it asks for the console again.
 */
export interface Passes {
  create(facts: PassFacts): Promise<string>;
  /** Rejects with `embed_token_invalid`. */
  exchange(code: string): Promise<{ readonly pass: string; readonly facts: PassFacts }>;
  open(pass: string): Promise<PassFacts>;
}

const tokenPattern = /^[A-Za-z0-9_-]{43}$/;

export function createPasses(deps: {
  readonly records: Pick<RecordStore, 'put' | 'get' | 'take'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
}): Passes {
  const { records, keys, random, clock } = deps;

  async function write(facts: PassFacts, contextOf: ContextOf, ttlMs: number): Promise<string> {
    const token = random(32);
    const context = contextOf(token);
    await records.put(context.storeKey, seal(keys, random, context, JSON.stringify(facts)), ttlMs);
    return token.toString('base64url');
  }

  async function read(text: string, contextOf: ContextOf, how: 'get' | 'take'): Promise<PassFacts> {
    const fail = (detail: string) => new PortholeError('embed_token_invalid', { detail });
    if (!tokenPattern.test(text)) throw fail('malformed');
    const context = contextOf(Buffer.from(text, 'base64url'));
    const sealed = await records[how](context.storeKey);
    const plain = sealed === undefined ? undefined : unseal(keys, context, sealed);
    const facts = passFacts.safeParse(plain === undefined ? undefined : parseJson(plain));
    if (!facts.success) throw fail('unknown, used or expired');
    if (facts.data.until <= clock.now()) throw fail('expired');
    return facts.data;
  }

  return {
    create: (facts) => write(facts, codeContext, lifetimes.embedCode),
    async exchange(code) {
      const facts = await read(code, codeContext, 'take');
      return { pass: await write(facts, passContext, facts.until - clock.now()), facts };
    },
    open: (pass) => read(pass, passContext, 'get'),
  };
}

type ContextOf = (token: Buffer) => SealContext;
const codeContext: ContextOf = (token) => ({
  token,
  purpose: 'porthole pass code v1',
  storeKey: storeKeys.embedCode(token),
});
const passContext: ContextOf = (token) => ({
  token,
  purpose: 'porthole pass v1',
  storeKey: storeKeys.embedToken(token),
});
