import type { Config, configSchema } from '@porthole/shared/config/schema';
import { constantSecret } from '@porthole/shared/config/secret';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { cheapPasswordHash } from '../cheap-password-hash.ts';
import type { FakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';

/** The password of all users. */
export const password = 'a sunny day at the pier';
export const proxmoxAccount = {
  userid: 'porthole@pve',
  password: 'the-password-of-the-proxmox-account',
  token: 'porthole@pve!e2e',
  secret: 'c0ffee00-1111-4222-8333-444455556666',
} as const;
export const everythingAllowed = { '/': ['VM.Console', 'VM.Audit', 'Sys.Audit', 'Pool.Audit'] };
export const grantKey = 'the key that seals grants and sign-ins';

export interface StackConfigOptions {
  readonly credential?: 'token' | 'password';
  readonly limits?: Partial<Config['limits']>;
  /** Settings that replace the defaults. */
  readonly settings?: (origin: string) => Partial<z.input<typeof configSchema>>;
  /** Default: `defaultRules`. */
  readonly rules?: Pick<z.input<typeof configSchema>, 'access' | 'classes'>;
  /** Default: one in-memory store for both. */
  readonly redisUrl?: string;
}

const defaultRules: NonNullable<StackConfigOptions['rules']> = {
  access: [
    { who: { everyone: true }, which: { names: ['{user}-*'] }, allow: ['control', 'terminal'] },
    { who: { groups: ['class-a'] }, which: { tags: ['shared'] }, allow: ['view'] },
    { who: { groups: ['instructors'] }, which: { all: true }, allow: ['control'] },
  ],
};

/** The configuration of both services, as a file has it. */
export function configOf(
  { credential = 'token', limits, redisUrl, rules = defaultRules, settings }: StackConfigOptions,
  proxmox: FakeProxmox,
  { port, relayPort }: { readonly port: number; readonly relayPort?: number },
) {
  const { userid, token, secret } = proxmoxAccount;
  return {
    publicUrl: `http://127.0.0.1:${port}`,
    ...(relayPort === undefined ? {} : { relayUrl: `ws://127.0.0.1:${relayPort}` }),
    listen: `127.0.0.1:${port}`,
    operationsListen: '127.0.0.1:0',
    grantKeys: constantSecret(grantKey),
    ...(redisUrl === undefined ? {} : { redis: { url: redisUrl } }),
    clusters: [
      {
        name: 'lab',
        urls: proxmox.url(),
        credential:
          credential === 'token'
            ? { token, secret: constantSecret(secret) }
            : { username: userid, password: constantSecret(proxmoxAccount.password) },
        tls: { caFile: constantSecret(proxmox.caPem) },
      },
    ],
    signIn: { local: { usersFile: constantSecret(usersFile()) } },
    ...rules,
    limits: { ...limits },
    ...settings?.(`http://127.0.0.1:${port}`),
  };
}

function usersFile(): string {
  const hash = cheapPasswordHash(password);
  return stringify({
    users: [
      { name: 'student', displayName: 'Sam Student', groups: ['class-a'], password: hash },
      { name: 'friend', displayName: 'Fay Friend', groups: ['class-a'], password: hash },
      { name: 'instructor', displayName: 'Ina Instructor', groups: ['instructors'], password: hash },
    ],
  });
}
