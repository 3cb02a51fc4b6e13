import { z } from 'zod';
import type { Secret } from './secret.ts';

/** The ways to sign in, any number of them at once, and how long a sign-in lasts. */
const secret = z.custom<Secret>(
  (value) => typeof value === 'function',
  'must be a text, or use the …File variant',
);

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
/** What is asked for tokens and keys must be who it says, except on this computer. */
const issuerUrl = z
  .url({ protocol: /^https?$/, error: 'must be an https:// URL' })
  .transform((text) => new URL(text))
  .refine((url) => url.protocol === 'https:' || loopback.test(url.hostname), 'must be an https:// URL');

const methodName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be small letters, digits and dashes');
const words = z.string().min(1).max(256);
const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/, 'must be the name of a header')
  .transform((name) => name.toLowerCase());

const week = 7 * 86_400;

const local = z.strictObject({ usersFile: secret });

const oidc = z.strictObject({
  name: methodName.default('oidc'),
  /** On the button: "Sign in with …". */
  title: z.string().min(1).max(64).optional(),
  issuer: issuerUrl,
  clientId: words,
  clientSecret: secret.optional(),
  caFile: secret.optional(),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/))
    .default(['openid', 'profile', 'email']),
  claims: z
    .strictObject({
      /** Paths of claims, "a.b" for one within another. The first that is there counts. */
      name: z.array(words).min(1).default(['preferred_username', 'email', 'sub']),
      displayName: words.default('name'),
      groups: words.default('groups'),
      /** Others that access rules ask for, `who.claims`. */
      keep: z.array(words).max(20).default([]),
    })
    .prefault({}),
  /** Whether signing out leads to the issuer, to sign out there, too. */
  rpInitiatedLogout: z.boolean().default(true),
  /** Put before every name, so that nobody of this issuer is taken for somebody of another. */
  namePrefix: z.string().max(64).default(''),
  /** How often the issuer is asked whether somebody is still who they were, where it gives refresh tokens. */
  refreshSeconds: z.number().int().min(30).max(86_400).default(300),
});

const proxmox = z.strictObject({
  /** One of `clusters`: its accounts open its machines, and no others. */
  cluster: methodName,
  realms: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[A-Za-z][A-Za-z0-9._-]{1,31}$/, 'must be the name of a realm'),
        /** Where people choose theirs. */
        title: z.string().min(1).max(64).optional(),
      }),
    )
    .min(1),
  /** Whether rules know "anna@ad" as "anna". */
  shortNames: z.boolean().default(false),
  /** Whether root@pam may sign in, whose ticket opens every account of the cluster. */
  allowRoot: z.boolean().default(false),
});

const header = z.strictObject({
  /** Addresses and ranges from which the header is believed: those of the proxies themselves. */
  from: z.array(z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()])).min(1),
  user: headerName.default('x-forwarded-user'),
  displayName: headerName.default('x-forwarded-preferred-username'),
  groups: headerName.default('x-forwarded-groups'),
  /** Where the pages send whoever signs out. */
  signOutUrl: z
    .string()
    .regex(/^(https:\/\/|\/)/, 'must be an https:// URL or a path')
    .optional(),
});

/** For whom a program may ask: each of the user's groups must be named, and the user match a pattern. */
const impersonation = z.strictObject({
  /** `*` stands for any characters, `?` for one. */
  users: z.array(words).min(1),
  groups: z.array(words).default([]),
});

const programs = z.strictObject({
  name: methodName,
  issuer: issuerUrl,
  /** Where its keys are; by default where its discovery document says. */
  jwksUrl: issuerUrl.optional(),
  audience: words,
  algorithms: z
    .array(z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']))
    .min(1)
    .default(['RS256', 'PS256', 'ES256', 'EdDSA']),
  caFile: secret.optional(),
  /** The programs, by the claim `sub`. Without it every one that the issuer names. */
  subjects: z.array(words).min(1).optional(),
  impersonation: impersonation.optional(),
});

const serviceAccounts = z.strictObject({
  audience: words.default('porthole'),
  /** "namespace:name". */
  allow: z.array(z.string().regex(/^[a-z0-9-]{1,63}:[a-z0-9.-]{1,253}$/, 'must be namespace:name')).min(1),
  impersonation: impersonation.optional(),
});

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
        /** Seconds without any request after which a sign-in ends. */
        idleSeconds: z
          .number()
          .int()
          .min(60)
          .max(week)
          .default(8 * 3600),
        /** Seconds after which it ends in any case. */
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
    { error: 'name at least one way to sign in: local, oidc, proxmox or header' },
  )
  .refine(
    ({ proxmox: accounts }) => new Set(accounts.map(({ cluster }) => cluster)).size === accounts.length,
    {
      path: ['proxmox'],
      error: 'two of them are of the same cluster',
    },
  )
  .refine(({ oidc: issuers }) => new Set(issuers.map(({ name }) => name)).size === issuers.length, {
    path: ['oidc'],
    error: 'two of them have the same name',
  })
  .refine(({ programs: issuers }) => new Set(issuers.map(({ name }) => name)).size === issuers.length, {
    path: ['programs'],
    error: 'two of them have the same name',
  });

export type SignInConfig = z.infer<typeof signInSchema>;
export type OidcConfig = SignInConfig['oidc'][number];
export type ProxmoxSignInConfig = SignInConfig['proxmox'][number];
export type HeaderConfig = NonNullable<SignInConfig['header']>;
export type ProgramsConfig = SignInConfig['programs'][number];
export type ServiceAccountsConfig = NonNullable<SignInConfig['serviceAccounts']>;
export type ImpersonationConfig = z.infer<typeof impersonation>;
