import { z } from 'zod';
import type { Clock } from '@porthole/shared/time/clock';
import { parseJson } from '@porthole/shared/parse-json';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { seal, unseal, type SealContext, type SealKeys } from '@porthole/shared/crypto/seal';
import { digest, storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';

/** What a sign-in rests on. Only its method knows what the facts mean. */
export interface LoginData {
  /** The way it was made: "local", "oidc:school". */
  readonly method: string;
  readonly data: unknown;
}

export interface Login extends LoginData {
  /** Names the sign-in in grants and signals without giving it away. */
  readonly ref: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Puts other facts in the place of these. False, and nothing written, when it has ended or changed meanwhile. */
  replaceData(facts: unknown): Promise<boolean>;
  /** As it is in the store by now. */
  reload(): Promise<Login | undefined>;
}

export interface LoginSessions {
  /** Answers the secret for the cookie. */
  create(basis: LoginData): Promise<string>;
  /** The living sign-in of a cookie, which its use keeps alive. */
  find(secret: string): Promise<Login | undefined>;
  /** Whatever `find` said before, it says no more. Takes the digest of the secret, which lists know. */
  end(tokenDigest: string): Promise<void>;
}

const secretBytes = 32;
const renewMs = 60_000;
const loginRecord = z.object({
  version: z.literal(2),
  method: z.string(),
  facts: z.unknown(),
  since: z.number(),
});

/**
 * Two records for each sign-in. One says who, is replaced only as long as it is there, and is deleted at the end; the
 * other says when it was last used and is written again and again. So a request that is under way while somebody
 * signs out can write the second, which alone opens nothing, and not bring the first back.
 */
export function createLoginSessions(deps: {
  readonly records: RecordStore;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
  readonly idleMs: number;
  readonly lifeMs: number;
}): LoginSessions {
  const { records, keys, random, clock, idleMs, lifeMs } = deps;

  function touch(token: Buffer): Promise<void> {
    const context = seenContext(token);
    return records.put(context.storeKey, seal(keys, random, context, String(clock.now())), idleMs);
  }

  const sealRecord = (context: SealContext, record: z.infer<typeof loginRecord>) =>
    seal(keys, random, context, JSON.stringify(record));

  async function find(secret: string): Promise<Login | undefined> {
    const token = Buffer.from(secret, 'base64url');
    const [login, seen] = [loginContext(token), seenContext(token)];
    const [sealed, sealedSeen] = await Promise.all([records.get(login.storeKey), records.get(seen.storeKey)]);
    if (sealed === undefined || sealedSeen === undefined) return undefined;
    const plain = unseal(keys, login, sealed);
    const seenAt = Number(unseal(keys, seen, sealedSeen));
    const record = loginRecord.safeParse(plain === undefined ? undefined : parseJson(plain));
    if (!record.success || !Number.isFinite(seenAt)) return undefined;
    const { method, facts, since } = record.data;
    // The store lets records go in time; one that somebody put back later must not live again.
    const now = clock.now();
    if (now >= since + lifeMs || now >= seenAt + idleMs) return undefined;
    if (now >= seenAt + renewMs) await touch(token);
    return {
      ref: loginRef(secret),
      method,
      data: facts,
      since,
      replaceData: (next) =>
        records.replace(
          login.storeKey,
          sealed,
          sealRecord(login, { version: 2, method, facts: next, since }),
          since + lifeMs - clock.now(),
        ),
      reload: () => find(secret),
    };
  }

  return {
    async create({ method, data: facts }) {
      const token = random(secretBytes);
      const context = loginContext(token);
      await touch(token);
      const record = { version: 2, method, facts, since: clock.now() } as const;
      await records.put(context.storeKey, sealRecord(context, record), lifeMs);
      return token.toString('base64url');
    },
    find,
    async end(tokenDigest) {
      await records.delete(storeKeys.login(tokenDigest));
      await records.delete(storeKeys.loginSeen(tokenDigest));
    },
  };
}

/** Finds the records of a sign-in, and opens nothing. */
export function tokenDigestOf(secret: string): string {
  return digest(Buffer.from(secret, 'base64url'));
}

/** Half a digest: enough to tell sign-ins apart, and no way back to the secret. */
export function loginRef(secret: string): string {
  return tokenDigestOf(secret).slice(0, 32);
}

function loginContext(token: Buffer): SealContext {
  return { token, purpose: 'porthole login v2', storeKey: storeKeys.login(digest(token)) };
}

function seenContext(token: Buffer): SealContext {
  return { token, purpose: 'porthole login seen v1', storeKey: storeKeys.loginSeen(digest(token)) };
}
