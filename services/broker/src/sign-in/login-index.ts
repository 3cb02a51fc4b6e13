import { z } from 'zod';
import { parseJson } from '@porthole/shared/parse-json';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { seal, unseal, type SealContext, type SealKeys } from '@porthole/shared/crypto/seal';
import { digest, leaseNames, storeKeys } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';

/** What may be told about a sign-in to whose it is and to operators. */
const loginInfo = z.object({
  version: z.literal(1),
  /** Its public name. */
  ref: z.string(),
  /** Finds its records. Worth nothing to a browser. */
  tokenDigest: z.string(),
  user: z.object({ id: z.string(), name: z.string() }),
  method: z.string(),
  /** By which others know it: an issuer's subject, an issuer's session. */
  handles: z.array(z.string()),
  /** Milliseconds since the epoch. */
  since: z.number(),
  address: z.string(),
});
export type LoginInfo = z.infer<typeof loginInfo>;

/** Of one user. A program that signs in again and again fills no store. */
const mostPerUser = 50;

export interface LoginIndex {
  /** Answers those that had to make room. */
  add(info: LoginInfo): Promise<readonly LoginInfo[]>;
  remove(info: LoginInfo): Promise<void>;
  find(ref: string): Promise<LoginInfo | undefined>;
  ofUser(userId: string): Promise<readonly LoginInfo[]>;
  byHandle(handle: string): Promise<readonly LoginInfo[]>;
}

/** Which sign-ins live, for lists and for ending them. The records themselves say whether one still counts. */
export function createLoginIndex(deps: {
  readonly store: Pick<Store, 'records' | 'leases'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly lifeMs: number;
}): LoginIndex {
  const { keys, random, lifeMs } = deps;
  const { records, leases } = deps.store;

  async function read(refDigest: string): Promise<LoginInfo | undefined> {
    const context = contextOf(refDigest);
    const sealed = await records.get(context.storeKey);
    const plain = sealed === undefined ? undefined : unseal(keys, context, sealed);
    const parsed = loginInfo.safeParse(plain === undefined ? undefined : parseJson(plain));
    return parsed.success ? parsed.data : undefined;
  }

  async function list(lease: string): Promise<LoginInfo[]> {
    const found = await Promise.all((await leases.list(lease)).map(read));
    return found.filter((info) => info !== undefined);
  }

  const leasesOf = ({ user, handles }: LoginInfo) => [
    leaseNames.logins(user.id),
    ...handles.map(leaseNames.loginsByHandle),
  ];

  return {
    async add(info) {
      const context = contextOf(digest(info.ref));
      await records.put(context.storeKey, seal(keys, random, context, JSON.stringify(info)), lifeMs);
      const before = await list(leaseNames.logins(info.user.id));
      for (const name of leasesOf(info))
        await leases.tryAcquire(name, info.ref, Number.MAX_SAFE_INTEGER, lifeMs);
      return before.slice(0, Math.max(0, before.length + 1 - mostPerUser));
    },
    async remove(info) {
      for (const name of leasesOf(info)) await leases.release(name, info.ref);
      await records.delete(contextOf(digest(info.ref)).storeKey);
    },
    find: (ref) => read(digest(ref)),
    ofUser: (userId) => list(leaseNames.logins(userId)),
    byHandle: (handle) => list(leaseNames.loginsByHandle(handle)),
  };
}

/** The salt is no secret: whoever has the keys may read it. */
function contextOf(refDigest: string): SealContext {
  return {
    token: Buffer.from(refDigest, 'hex'),
    purpose: 'porthole login info v1',
    storeKey: storeKeys.loginInfo(refDigest),
  };
}
