import { z } from 'zod';
import type { Clock } from '@porthole/shared/clock';
import type { RandomBytes } from '@porthole/shared/random';
import { seal, unseal, type SealContext, type SealKeys } from '@porthole/shared/seal';
import { digest, lifetimes, storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';

/** What a sign-in says. The user's groups are not in it: they are looked up at each request, as they are then. */
export interface LoginFacts {
  readonly userName: string;
  /** Stands for the password that opened it: with another password it is worth nothing. */
  readonly passwordRef: string;
}

export interface Login extends LoginFacts {
  /** Names the sign-in in grants and signals without giving it away. */
  readonly ref: string;
}

export interface LoginSessions {
  /** Answers the secret for the cookie. */
  create(facts: LoginFacts): Promise<string>;
  /** The living sign-in of a cookie, which its use keeps alive. */
  find(secret: string): Promise<Login | undefined>;
  /** Whatever `find` said before, it says no more. */
  end(secret: string): Promise<void>;
}

const secretBytes = 32;
const renewMs = 60_000;
const loginRecord = z.object({
  version: z.literal(1),
  userName: z.string(),
  passwordRef: z.string(),
  since: z.number(),
});

/**
 * Two records for each sign-in. One says who, is written once and deleted at the end; the other says when it was
 * last used and is written again and again. So a request that is under way while somebody signs out can write
 * the second, which alone opens nothing, and not bring the first back.
 */
export function createLoginSessions(deps: {
  readonly records: RecordStore;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
}): LoginSessions {
  const { records, keys, random, clock } = deps;

  function touch(token: Buffer): Promise<void> {
    const context = seenContext(token);
    return records.put(
      context.storeKey,
      seal(keys, random, context, String(clock.now())),
      lifetimes.loginIdle,
    );
  }

  return {
    async create({ userName, passwordRef }) {
      const token = random(secretBytes);
      const context = loginContext(token);
      const record = { version: 1, userName, passwordRef, since: clock.now() } satisfies z.infer<
        typeof loginRecord
      >;
      await touch(token);
      await records.put(
        context.storeKey,
        seal(keys, random, context, JSON.stringify(record)),
        lifetimes.loginAbsolute,
      );
      return token.toString('base64url');
    },
    async find(secret) {
      const token = Buffer.from(secret, 'base64url');
      const [login, seen] = [loginContext(token), seenContext(token)];
      const [sealedLogin, sealedSeen] = await Promise.all([
        records.get(login.storeKey),
        records.get(seen.storeKey),
      ]);
      if (sealedLogin === undefined || sealedSeen === undefined) return undefined;
      const plain = unseal(keys, login, sealedLogin);
      const seenAt = Number(unseal(keys, seen, sealedSeen));
      if (plain === undefined || !Number.isFinite(seenAt)) return undefined;
      const record = loginRecord.safeParse(JSON.parse(plain));
      if (!record.success) return undefined;
      const { userName, passwordRef, since } = record.data;
      // The store lets records go in time; one that somebody put back later must not live again.
      const now = clock.now();
      if (now >= since + lifetimes.loginAbsolute || now >= seenAt + lifetimes.loginIdle) return undefined;
      if (now >= seenAt + renewMs) await touch(token);
      return { ref: loginRef(secret), userName, passwordRef };
    },
    async end(secret) {
      const token = Buffer.from(secret, 'base64url');
      await records.delete(loginContext(token).storeKey);
      await records.delete(seenContext(token).storeKey);
    },
  };
}

/** Half a digest: enough to tell sign-ins apart, and no way back to the secret. */
export function loginRef(secret: string): string {
  return digest(Buffer.from(secret, 'base64url')).slice(0, 32);
}

function loginContext(token: Buffer): SealContext {
  return { token, purpose: 'porthole login v1', storeKey: storeKeys.login(token) };
}

function seenContext(token: Buffer): SealContext {
  return { token, purpose: 'porthole login seen v1', storeKey: storeKeys.loginSeen(token) };
}
