import type { LtiPlatformConfig, LtiRole } from '@porthole/shared/config/lti-schema';
import type { User } from '../identity/user.ts';

const membership = 'http://purl.imsglobal.org/vocab/lis/v2/membership';

/** Roles in the context of the launch. Roles in the institution or the system do not count: they are not of the course. */
export function rolesOf(uris: readonly string[]): LtiRole[] {
  const has = (...names: readonly string[]) => names.some((name) => uris.includes(name));
  // A teaching assistant has the role of an instructor beside it, and the specification lets tools give less.
  const isAssistant = has(`${membership}/Instructor#TeachingAssistant`, 'TeachingAssistant');
  const isInstructor = !isAssistant && has(`${membership}#Instructor`, 'Instructor');
  const isLearner = has(`${membership}#Learner`, 'Learner');
  return [
    ...(isInstructor ? (['instructor'] as const) : []),
    ...(isAssistant ? (['assistant'] as const) : []),
    ...(isLearner ? (['learner'] as const) : []),
  ];
}

/** The sign-in method of a platform's users, in ids, logs and metrics. */
export const ltiMethodName = (platform: string): string => `lti:${platform}`;

/** The groups of users with these roles in a context: by the names that are fixed, and by those of the configuration. */
export function groupsOf(
  { name, groups }: Pick<LtiPlatformConfig, 'name' | 'groups'>,
  contextId: string | undefined,
  roles: readonly LtiRole[],
): string[] {
  const fixed = contextId === undefined ? [] : roles.map((role) => `lti:${name}:${contextId}:${role}`);
  const configured = groups
    .filter(
      ({ context, role }) =>
        (context === undefined || context === contextId) &&
        (role === undefined ? roles.length > 0 : roles.includes(role)),
    )
    .map(({ group }) => group);
  return [...new Set([...fixed, ...configured])];
}

/** The user of a launch. Without a rule for the name or a group, the user may do nothing. */
export function userOfLaunch(
  platform: Pick<LtiPlatformConfig, 'name' | 'groups'>,
  launch: {
    readonly subject: string;
    readonly name: string;
    readonly displayName?: string | undefined;
    readonly roles: readonly LtiRole[];
    readonly context?: { readonly id: string } | undefined;
  },
): User {
  const { subject, name, displayName, roles, context } = launch;
  return {
    id: `${ltiMethodName(platform.name)}:${subject}`,
    name,
    ...(displayName === undefined || displayName === name ? {} : { displayName }),
    groups: groupsOf(platform, context?.id, roles),
  };
}
