import { z } from 'zod';
import { originUrl, secret } from './fields.ts';

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
/** Requires TLS, except for loopback addresses. */
const platformUrl = z
  .url({ protocol: /^https?$/, error: 'must be an https:// URL' })
  .refine(
    (text) => !URL.canParse(text) || text.startsWith('https:') || loopback.test(new URL(text).hostname),
    'must be an https:// URL',
  );

const shortText = z.string().min(1).max(256);
export const ltiRoles = ['instructor', 'assistant', 'learner'] as const;

const platform = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must consist of lowercase letters, digits and dashes'),
  /** Compared with the claim `iss` character by character. */
  issuer: platformUrl,
  clientId: shortText,
  deploymentIds: z.array(z.string().min(1).max(255)).min(1).max(100),
  authorizationUrl: platformUrl.transform((text) => new URL(text)),
  jwksUrl: platformUrl.transform((text) => new URL(text)),
  /** Where the platform issues access tokens for its roster. */
  tokenUrl: platformUrl.transform((text) => new URL(text)).optional(),
  caFile: secret.optional(),
  /** Origins of the platform's pages. Default: those of `issuer` and `authorizationUrl`. */
  origins: z
    .array(originUrl('https?').transform(({ origin }) => origin))
    .max(20)
    .optional(),
  claims: z
    .strictObject({
      /** Claim paths. The first one present is used. */
      name: z.array(shortText).min(1).default(['ext.user_username', 'preferred_username', 'sub']),
      displayName: shortText.default('name'),
    })
    .prefault({}),
  /** Prefix of user names, to keep users of different platforms apart. */
  namePrefix: z.string().max(64).default(''),
  /** Further groups of users who launch from a context in a role. */
  groups: z
    .array(
      z.strictObject({
        group: shortText,
        /** Default: every context. */
        context: shortText.optional(),
        /** Default: every role. */
        role: z.enum(ltiRoles).optional(),
      }),
    )
    .max(1000)
    .default([]),
  /** Contexts whose members have their groups also when they sign in in another way. */
  rosters: z.array(shortText).max(100).default([]),
});

/** Learning platforms whose users open consoles by LTI 1.3. */
export const ltiSchema = z
  .strictObject({
    /** One or two private RSA keys in PEM format. The first one signs. */
    toolKeys: secret,
    platforms: z.array(platform).min(1).max(50),
  })
  .refine(({ platforms }) => new Set(platforms.map(({ name }) => name)).size === platforms.length, {
    path: ['platforms'],
    error: 'names must be unique',
  })
  .refine(
    ({ platforms }) =>
      new Set(platforms.map(({ issuer, clientId }) => `${issuer} ${clientId}`)).size === platforms.length,
    { path: ['platforms'], error: 'issuer and clientId together must be unique' },
  )
  .refine(({ platforms }) => platforms.every(({ rosters, tokenUrl }) => rosters.length === 0 || tokenUrl), {
    path: ['platforms'],
    error: 'rosters require tokenUrl',
  });

export type LtiConfig = z.infer<typeof ltiSchema>;
export type LtiPlatformConfig = LtiConfig['platforms'][number];
export type LtiRole = (typeof ltiRoles)[number];
