import { z } from 'zod';
import type { Clock } from '@porthole/shared/time/clock';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { createToken } from '@porthole/shared/crypto/token';
import { digest, storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';
import {
  byToken,
  getSealed,
  putSealed,
  replaceSealed,
  type SealedRecordType,
} from '@porthole/shared/store/sealed-records';

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

/** The time of the last use is written at most this often. */
const touchMs = 60_000;
const storedLogin = z.object({
  version: z.literal(2),
  method: z.string(),
  data: z.unknown(),
  since: z.number(),
});

const loginRecord = {
  purpose: 'porthole login v2',
  schema: storedLogin,
  locate: byToken((token) => storeKeys.login(digest(token))),
} satisfies SealedRecordType<string, z.infer<typeof storedLogin>>;

/** The time of the last use. */
const seenRecord = {
  purpose: 'porthole login seen v1',
  schema: z.number(),
  locate: byToken((token) => storeKeys.loginSeen(digest(token))),
} satisfies SealedRecordType<string, number>;

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
  const { records, random, clock, idleMs, lifeMs } = deps;

  const touch = (secret: string) => putSealed(deps, seenRecord, secret, clock.now(), idleMs);

  async function find(secret: string): Promise<Login | undefined> {
    const [login, seen] = await Promise.all([
      getSealed(deps, loginRecord, secret),
      getSealed(deps, seenRecord, secret),
    ]);
    if (!login.value || seen.value === undefined) return undefined;
    const { method, data, since } = login.value;
    // The store expires records, but a record that an attacker restores later must not count.
    const now = clock.now();
    if (now >= since + lifeMs || now >= seen.value + idleMs) return undefined;
    if (now >= seen.value + touchMs) await touch(secret);
    return {
      ref: loginRef(secret),
      method,
      data,
      since,
      replaceData: async (next) => {
        const record = { version: 2, method, data: next, since } as const;
        const ttlMs = Math.max(1, since + lifeMs - clock.now());
        return (await replaceSealed(deps, loginRecord, secret, login.sealed, record, ttlMs)) !== undefined;
      },
      reload: () => find(secret),
    };
  }

  return {
    async create({ method, data }) {
      const secret = createToken(random);
      await touch(secret);
      const record = { version: 2, method, data, since: clock.now() } as const;
      await putSealed(deps, loginRecord, secret, record, lifeMs);
      return secret;
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
