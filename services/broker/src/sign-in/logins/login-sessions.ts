import { z } from 'zod';
import type { Clock } from '@porthole/shared/time/clock';
import { parseJson } from '@porthole/shared/parse-json';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { seal, unseal, type SealContext, type SealKeys } from '@porthole/shared/crypto/seal';
import { digest, storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';

/** What a sign-in stores. */
export interface LoginData {
  /** The sign-in method: "local", "oidc:school". */
  readonly method: string;
  /** Data of the method. Only its resolver can parse it. */
  readonly data: unknown;
}

export interface Login extends LoginData {
  /** Names the sign-in in grants, signals, and logs. It does not reveal the secret. */
  readonly ref: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /**
   * Replaces the data atomically. Returns false, and writes nothing, if the sign-in ended or changed since the read.
   */
  replaceData(data: unknown): Promise<boolean>;
  /** Reads the sign-in again. Returns undefined if it ended. */
  reload(): Promise<Login | undefined>;
}

export interface LoginSessions {
  /** Returns the secret for the cookie. */
  create(login: LoginData): Promise<string>;
  /** Returns the active sign-in of a cookie, and extends its idle time. */
  find(secret: string): Promise<Login | undefined>;
  /** Ends a sign-in at once, by the digest of its secret. */
  end(tokenDigest: string): Promise<void>;
}

const secretBytes = 32;
/** The time of the last use is written at most this often. */
const touchMs = 60_000;
const loginRecord = z.object({
  version: z.literal(2),
  method: z.string(),
  data: z.unknown(),
  since: z.number(),
});

/**
 * Stores each sign-in as two records. The first holds the user's data: it is replaced only while it exists, and deleted
 * at sign-out. The second holds the time of the last use and is overwritten often. A request that runs during a sign-out
 * can restore only the second record, which opens nothing by itself.
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
    const { method, data, since } = record.data;
    // The store expires records, but a record that an attacker restores later must not count.
    const now = clock.now();
    if (now >= since + lifeMs || now >= seenAt + idleMs) return undefined;
    if (now >= seenAt + touchMs) await touch(token);
    return {
      ref: loginRef(secret),
      method,
      data,
      since,
      replaceData: (next) =>
        records.replace(
          login.storeKey,
          sealed,
          sealRecord(login, { version: 2, method, data: next, since }),
          Math.max(1, since + lifeMs - clock.now()),
        ),
      reload: () => find(secret),
    };
  }

  return {
    async create({ method, data }) {
      const token = random(secretBytes);
      const context = loginContext(token);
      await touch(token);
      const record = { version: 2, method, data, since: clock.now() } as const;
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

/** Returns the digest that finds the records of a sign-in. It does not decrypt them. */
export function tokenDigestOf(secret: string): string {
  return digest(Buffer.from(secret, 'base64url'));
}

/** Half of the digest: enough to identify a sign-in, and too little to find its records. */
export function loginRef(secret: string): string {
  return tokenDigestOf(secret).slice(0, 32);
}

function loginContext(token: Buffer): SealContext {
  return { token, purpose: 'porthole login v2', storeKey: storeKeys.login(digest(token)) };
}

function seenContext(token: Buffer): SealContext {
  return { token, purpose: 'porthole login seen v1', storeKey: storeKeys.loginSeen(digest(token)) };
}
