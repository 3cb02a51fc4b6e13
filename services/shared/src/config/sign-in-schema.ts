import { z } from 'zod';
import { secret } from './fields.ts';

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
/** Requires TLS, except for loopback addresses. */
const issuerUrl = z
  .url({ protocol: /^https?$/, error: 'must be an https:// URL' })
  .transform((text) => new URL(text))
  .refine((url) => url.protocol === 'https:' || loopback.test(url.hostname), 'must be an https:// URL');

const methodName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must consist of lowercase letters, digits and dashes');
const shortText = z.string().min(1).max(256);
const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/, 'must be a header name')
  .transform((name) => name.toLowerCase());

const week = 7 * 86_400;

const local = z.strictObject({ usersFile: secret });

const oidc = z.strictObject({
  name: methodName.default('oidc'),
  /** Name on the button "Sign in with …". */
  title: z.string().min(1).max(64).optional(),
  issuer: issuerUrl,
  clientId: shortText,
  clientSecret: secret.optional(),
  caFile: secret.optional(),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/))
    .default(['openid', 'profile', 'email']),
  claims: z
    .strictObject({
      /** Claim paths, such as "a.b" for a nested claim. The first one present is used. */
      name: z.array(shortText).min(1).default(['preferred_username', 'email', 'sub']),
      displayName: shortText.default('name'),
      groups: shortText.default('groups'),
      /** Additional claims that access rules use in `who.claims`. */
      keep: z.array(shortText).max(20).default([]),
    })
    .prefault({}),
  /** Whether signing out also signs the user out at the issuer (RP-initiated logout). */
  rpInitiatedLogout: z.boolean().default(true),
  /** Prefix of user names, to keep users of different issuers apart. */
  namePrefix: z.string().max(64).default(''),
  /** Interval at which a sign-in is refreshed at the issuer, if it issues refresh tokens. */
  refreshSeconds: z.number().int().min(30).max(86_400).default(300),
});

const proxmox = z.strictObject({
  /** Name of a cluster in `clusters`. Its accounts have access only to its machines. */
  cluster: methodName,
  realms: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[A-Za-z][A-Za-z0-9._-]{1,31}$/, 'must be a realm name'),
        /** Name in the list of realms. */
        title: z.string().min(1).max(64).optional(),
      }),
    )
    .min(1),
  /** Whether "anna@ad" is called "anna" in rules. */
  shortNames: z.boolean().default(false),
  /** Whether root@pam may sign in. Its ticket has access to everything in the cluster. */
  allowRoot: z.boolean().default(false),
});

const header = z.strictObject({
  /** Addresses and ranges of the proxies whose headers are trusted. */
  from: z.array(z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()])).min(1),
  user: headerName.default('x-forwarded-user'),
  displayName: headerName.default('x-forwarded-preferred-username'),
  groups: headerName.default('x-forwarded-groups'),
  /** Where to send users who sign out. */
  signOutUrl: z
    .string()
    .regex(/^(https:\/\/|\/)/, 'must be an https:// URL or a path')
    .optional(),
});

/** Users for whom a program may act. The user must match a pattern, and all groups of the user must be listed. */
const impersonation = z.strictObject({
  /** Name patterns. `*` matches any characters and `?` one. */
  users: z.array(shortText).min(1),
  groups: z.array(shortText).default([]),
});

const programs = z.strictObject({
  name: methodName,
  issuer: issuerUrl,
  /** URL of the issuer's keys. Default: from its discovery document. */
  jwksUrl: issuerUrl.optional(),
  audience: shortText,
  algorithms: z
    .array(z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']))
    .min(1)
    .default(['RS256', 'PS256', 'ES256', 'EdDSA']),
  caFile: secret.optional(),
  /** Allowed programs, by the claim `sub`. Default: all programs of the issuer. */
  subjects: z.array(shortText).min(1).optional(),
  impersonation: impersonation.optional(),
});

const serviceAccounts = z.strictObject({
  audience: shortText.default('porthole'),
  /** "namespace:name". */
  allow: z.array(z.string().regex(/^[a-z0-9-]{1,63}:[a-z0-9.-]{1,253}$/, 'must be namespace:name')).min(1),
  impersonation: impersonation.optional(),
});

/** Sign-in methods, any number of them at once, and the lifetime of a sign-in. */
export const signInSchema = z
  .strictObject({
    local: local.optional(),
    oidc: z.array(oidc).default([]),
    proxmox: z.array(proxmox).default([]),
    header: header.optional(),
    programs: z.array(programs).default([]),
    serviceAccounts: serviceAccounts.optional(),
    session: z
      .strictObject({
        /** Maximum time without a request, in seconds. */
        idleSeconds: z
          .number()
          .int()
          .min(60)
          .max(week)
          .default(8 * 3600),
        /** Maximum duration of a sign-in, in seconds. */
        maxSeconds: z
          .number()
          .int()
          .min(60)
          .max(week)
          .default(24 * 3600),
      })
      .prefault({}),
  })
  .refine(
    ({ local: file, oidc: issuers, proxmox: accounts, header: proxy }) =>
      file ?? issuers[0] ?? accounts[0] ?? proxy,
    { error: 'specify at least one sign-in method: local, oidc, proxmox or header' },
  )
  .refine(
    ({ proxmox: accounts }) => new Set(accounts.map(({ cluster }) => cluster)).size === accounts.length,
    {
      path: ['proxmox'],
      error: 'clusters must be unique',
    },
  )
  .refine(({ oidc: issuers }) => new Set(issuers.map(({ name }) => name)).size === issuers.length, {
    path: ['oidc'],
    error: 'names must be unique',
  })
  .refine(({ programs: issuers }) => new Set(issuers.map(({ name }) => name)).size === issuers.length, {
    path: ['programs'],
    error: 'names must be unique',
  });

export type SignInConfig = z.infer<typeof signInSchema>;
export type OidcConfig = SignInConfig['oidc'][number];
export type ProxmoxSignInConfig = SignInConfig['proxmox'][number];
export type HeaderConfig = NonNullable<SignInConfig['header']>;
export type ProgramsConfig = SignInConfig['programs'][number];
export type ServiceAccountsConfig = NonNullable<SignInConfig['serviceAccounts']>;
export type ImpersonationConfig = z.infer<typeof impersonation>;
