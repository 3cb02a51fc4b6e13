import { z } from 'zod';
import { ltiRoles, type LtiPlatformConfig } from '@porthole/shared/config/lti-schema';
import { profileFromClaims } from '../sign-in/oidc/profile.ts';
import { rolesOf } from './roles.ts';

/** What a verified message of a learning platform says, as far as Porthole uses it. Also stored between two steps. */
export const launchMessage = z.object({
  /** The name of the platform in the configuration. */
  platform: z.string(),
  subject: z.string(),
  name: z.string(),
  displayName: z.string().optional(),
  roles: z.array(z.enum(ltiRoles)),
  context: z.object({ id: z.string() }).optional(),
  deploymentId: z.string(),
  /** What the link opens. No rights follow from it, because teachers can change it. */
  target: z.object({ machine: z.string().optional(), class: z.string().optional() }),
  /** Set if a teacher is to choose what a link opens. */
  deepLinking: z
    .object({ returnUrl: z.string(), data: z.unknown().optional(), multiple: z.boolean() })
    .optional(),
  membershipsUrl: z.string().optional(),
});
export type LaunchMessage = z.infer<typeof launchMessage>;

const lti = <Name extends string>(name: Name) => `https://purl.imsglobal.org/spec/lti/claim/${name}` as const;
export const claimNames = {
  messageType: lti('message_type'),
  version: lti('version'),
  deploymentId: lti('deployment_id'),
  roles: lti('roles'),
  context: lti('context'),
  resourceLink: lti('resource_link'),
  custom: lti('custom'),
  ext: lti('ext'),
  lis: lti('lis'),
  deepLinkingSettings: 'https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings',
  contentItems: 'https://purl.imsglobal.org/spec/lti-dl/claim/content_items',
  deepLinkingData: 'https://purl.imsglobal.org/spec/lti-dl/claim/data',
  memberships: 'https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice',
} as const;

/** Short enough for a group name with the platform, the context and the role (shared/grant/claims.ts). */
const contextId = z.string().min(1).max(190);
const url = z.url({ protocol: /^https?$/ }).max(2000);

/** Platforms add claims of their own, which are ignored. Those that Porthole uses must be as the specification says. */
const launchClaims = z.looseObject({
  // Anonymous launches have no subject. They cannot be told apart, so they are refused.
  sub: z.string().min(1).max(200),
  [claimNames.version]: z.literal('1.3.0'),
  [claimNames.messageType]: z.enum(['LtiResourceLinkRequest', 'LtiDeepLinkingRequest']),
  [claimNames.deploymentId]: z.string().min(1).max(255),
  [claimNames.roles]: z.array(z.string().max(512)).max(100),
  [claimNames.context]: z.object({ id: contextId }).optional(),
  [claimNames.resourceLink]: z.object({ id: z.string().min(1).max(255) }).optional(),
  [claimNames.custom]: z.record(z.string(), z.unknown()).nullish(),
  [claimNames.deepLinkingSettings]: z
    .object({
      deep_link_return_url: url,
      accept_types: z.array(z.string().max(100)).max(50),
      accept_multiple: z.boolean().default(true),
      data: z.unknown().optional(),
    })
    .optional(),
  [claimNames.memberships]: z.object({ context_memberships_url: url }).optional(),
});

export type ParsedLaunch =
  | { readonly ok: true; readonly message: LaunchMessage }
  /** Why not, for the log: names of claims, and no values. */
  | { readonly ok: false; readonly detail: string };

/** Reads the claims of a message whose signature, issuer, audience, times and nonce are already verified. */
export function parseLaunchClaims(
  platform: LtiPlatformConfig,
  claims: Readonly<Record<string, unknown>>,
): ParsedLaunch {
  const parsed = launchClaims.safeParse(claims);
  if (!parsed.success) return refuse(`claim ${parsed.error.issues[0]?.path.join('.') ?? 'unknown'}`);
  const launch = parsed.data;
  const deploymentId = launch[claimNames.deploymentId];
  if (!platform.deploymentIds.includes(deploymentId)) return refuse('deployment is not registered');
  const isDeepLinking = launch[claimNames.messageType] === 'LtiDeepLinkingRequest';
  const settings = launch[claimNames.deepLinkingSettings];
  if (isDeepLinking && !settings) return refuse('claim deep_linking_settings');
  if (settings && !settings.accept_types.includes('ltiResourceLink'))
    return refuse('the platform accepts no resource links');
  if (!isDeepLinking && !launch[claimNames.resourceLink]) return refuse('claim resource_link');
  // As in the documentation of Moodle and Canvas, `ext` and `lis` are set by the platform, and `custom` by teachers.
  const { [claimNames.ext]: ext, [claimNames.lis]: lis } = claims;
  const profile = profileFromClaims(
    { claims: { ...platform.claims, groups: '', keep: [] }, namePrefix: platform.namePrefix },
    { ...claims, ext, lis },
  );
  if (!profile) return refuse(`no name in ${platform.claims.name.join(', ')}`);
  const { subject, name, displayName } = profile;
  const context = launch[claimNames.context];
  const membershipsUrl = launch[claimNames.memberships]?.context_memberships_url;
  return {
    ok: true,
    message: {
      platform: platform.name,
      subject,
      name,
      ...(displayName === undefined ? {} : { displayName }),
      roles: rolesOf(launch[claimNames.roles]),
      ...(context ? { context } : {}),
      deploymentId,
      target: targetOf(launch[claimNames.custom] ?? {}),
      ...(isDeepLinking && settings
        ? {
            deepLinking: {
              returnUrl: settings.deep_link_return_url,
              data: settings.data,
              multiple: settings.accept_multiple,
            },
          }
        : {}),
      ...(membershipsUrl === undefined ? {} : { membershipsUrl }),
    },
  };
}

function targetOf(custom: Readonly<Record<string, unknown>>): LaunchMessage['target'] {
  const text = (name: string) => {
    const value = Object.hasOwn(custom, name) ? custom[name] : undefined;
    return typeof value === 'string' && value.length <= 100 ? value : undefined;
  };
  const [machine, className] = [text('porthole_machine'), text('porthole_class')];
  return {
    ...(machine === undefined ? {} : { machine }),
    ...(className === undefined ? {} : { class: className }),
  };
}

const refuse = (detail: string) => ({ ok: false, detail }) as const;
