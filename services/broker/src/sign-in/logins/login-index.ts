import { z } from 'zod';
import { parseJson } from '@porthole/shared/parse-json';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { seal, unseal, type SealContext, type SealKeys } from '@porthole/shared/crypto/seal';
import { digest, leaseNames, storeKeys } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';

/** What the user and operators can see of a sign-in. */
const loginInfo = z.object({
  version: z.literal(1),
  /** The public ID. */
  ref: z.string(),
  /** Finds the records of the sign-in. It can't be used as a cookie. */
  tokenDigest: z.string(),
  user: z.object({ id: z.string(), name: z.string() }),
  method: z.string(),
  /** References of the identity provider to the sign-in, see oidc/provider-refs.ts. */
  providerRefs: z.array(z.string()),
  /** Milliseconds since the epoch. */
  since: z.number(),
  address: z.string(),
});
export type LoginInfo = z.infer<typeof loginInfo>;

/** Limits what a script that signs in again and again can store. */
const maxPerUser = 50;

export interface LoginIndex {
  /** Returns the oldest sign-ins of the user above the limit, for the caller to end. */
  add(info: LoginInfo): Promise<readonly LoginInfo[]>;
  remove(info: LoginInfo): Promise<void>;
  find(ref: string): Promise<LoginInfo | undefined>;
  ofUser(userId: string): Promise<readonly LoginInfo[]>;
  byProviderRef(ref: string): Promise<readonly LoginInfo[]>;
}

/** Lists active sign-ins by user and provider reference. An entry can outlive its sign-in by the idle timeout. */
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

  const leasesOf = ({ user, providerRefs }: LoginInfo) => [
    leaseNames.logins(user.id),
    ...providerRefs.map(leaseNames.loginsBy),
  ];

  return {
    async add(info) {
      const context = contextOf(digest(info.ref));
      await records.put(context.storeKey, seal(keys, random, context, JSON.stringify(info)), lifeMs);
      const before = await list(leaseNames.logins(info.user.id));
      for (const name of leasesOf(info))
        await leases.tryAcquire(name, info.ref, Number.MAX_SAFE_INTEGER, lifeMs);
      return before.slice(0, Math.max(0, before.length + 1 - maxPerUser));
    },
    async remove(info) {
      for (const name of leasesOf(info)) await leases.release(name, info.ref);
      await records.delete(contextOf(digest(info.ref)).storeKey);
    },
    find: (ref) => read(digest(ref)),
    ofUser: (userId) => list(leaseNames.logins(userId)),
    byProviderRef: (ref) => list(leaseNames.loginsBy(ref)),
  };
}

/** The digest is not secret: the seal keys alone protect the record. */
function contextOf(refDigest: string): SealContext {
  return {
    token: Buffer.from(refDigest, 'hex'),
    purpose: 'porthole login info v1',
    storeKey: storeKeys.loginInfo(refDigest),
  };
}
