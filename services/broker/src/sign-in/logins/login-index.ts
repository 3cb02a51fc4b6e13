import { z } from 'zod';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { digest, leaseNames, storeKeys } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';
import {
  byDigest,
  deleteSealed,
  getSealed,
  putSealed,
  type SealedRecordType,
} from '@porthole/shared/store/sealed-records';

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

const infoRecord = {
  purpose: 'porthole login info v1',
  schema: loginInfo,
  locate: byDigest(storeKeys.loginInfo),
} satisfies SealedRecordType<string, LoginInfo>;

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
  const { lifeMs } = deps;
  const { records, leases } = deps.store;
  const sealDeps = { records, keys: deps.keys, random: deps.random };

  async function read(refDigest: string): Promise<LoginInfo | undefined> {
    return (await getSealed(sealDeps, infoRecord, refDigest)).value;
  }

  async function list(lease: string): Promise<LoginInfo[]> {
    const found = await Promise.all((await leases.list(lease)).map(read));
    return found.filter((info) => info !== undefined);
  }

  const leasesOf = ({ user, providerRefs }: LoginInfo) => [
    leaseNames.logins(user.id),
    ...providerRefs.map(leaseNames.loginsByProviderRef),
  ];

  return {
    async add(info) {
      await putSealed(sealDeps, infoRecord, digest(info.ref), info, lifeMs);
      const before = await list(leaseNames.logins(info.user.id));
      for (const name of leasesOf(info))
        await leases.tryAcquire(name, info.ref, Number.MAX_SAFE_INTEGER, lifeMs);
      return before.slice(0, Math.max(0, before.length + 1 - maxPerUser));
    },
    async remove(info) {
      for (const name of leasesOf(info)) await leases.release(name, info.ref);
      await deleteSealed(records, infoRecord, digest(info.ref));
    },
    find: (ref) => read(digest(ref)),
    ofUser: (userId) => list(leaseNames.logins(userId)),
    byProviderRef: (ref) => list(leaseNames.loginsByProviderRef(ref)),
  };
}
