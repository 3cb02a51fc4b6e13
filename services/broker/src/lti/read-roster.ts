import { z } from 'zod';
import { ltiRoles, type LtiPlatformConfig } from '@porthole/shared/config/lti-schema';
import { PortholeError } from '@porthole/shared/errors';
import { parseJson } from '@porthole/shared/parse-json';
import { profileFromClaims } from '../sign-in/oidc/profile.ts';
import type { BoundedFetch } from './bounded-fetch.ts';
import { platformOrigins } from './platforms.ts';
import { rolesOf } from './roles.ts';

/** The members of a context, by the names that their users have here. */
export const roster = z.array(z.object({ name: z.string(), roles: z.array(z.enum(ltiRoles)) }));
export type Roster = z.infer<typeof roster>;

const page = z.object({
  members: z.array(
    z.looseObject({
      user_id: z.string().min(1).max(255),
      status: z.string().max(100).optional(),
      roles: z.array(z.string().max(512)).max(100),
    }),
  ),
});
/** Of one platform's answer, so that no platform can fill the memory. */
export const maxPageBytes = 1024 * 1024;
const maxPages = 20;
const maxMembers = 5000;

/**
 * Reads all members of a context (LTI Names and Role Provisioning Services 2.0). Members who are not active are left
 * out. Rejects with `sign_in_provider_unavailable`.
 */
export async function readRoster(
  platform: LtiPlatformConfig,
  membershipsUrl: string,
  deps: { readonly fetch: BoundedFetch; readonly accessToken: () => Promise<string> },
): Promise<Roster> {
  const members: Roster = [];
  let next: string | undefined = membershipsUrl;
  for (let pages = 0; next !== undefined; pages++) {
    if (pages === maxPages) throw unavailable(`more than ${maxPages} pages`);
    if (!isOfPlatform(platform, next)) throw unavailable('the list is of another origin');
    const response: Response = await deps.fetch(next, {
      headers: {
        accept: 'application/vnd.ims.lti-nrps.v2.membershipcontainer+json',
        authorization: `Bearer ${await deps.accessToken()}`,
      },
    });
    const parsed = page.safeParse(parseJson(await response.text()));
    if (!response.ok || !parsed.success) throw unavailable(`status ${response.status}`);
    for (const member of parsed.data.members) {
      const name = nameOf(platform, member);
      const isActive = member.status === undefined || member.status === 'Active';
      const roles = rolesOf(member.roles);
      if (isActive && name !== undefined && roles.length > 0) members.push({ name, roles });
    }
    if (members.length > maxMembers) throw unavailable(`more than ${maxMembers} members`);
    next = nextPage(response.headers.get('link'), next);
  }
  return members;
}

/**
 * The name of the member as after a launch, by the first claim of the configuration. Not by the others: platforms leave
 * claims out of their lists, and another claim would give a member the name of another user.
 */
function nameOf(
  { claims, namePrefix }: LtiPlatformConfig,
  member: Readonly<Record<string, unknown>> & { readonly user_id: string },
): string | undefined {
  return profileFromClaims(
    { claims: { ...claims, name: claims.name.slice(0, 1), groups: '', keep: [] }, namePrefix },
    { ...member, sub: member.user_id, lis: { person_sourcedid: member['lis_person_sourcedid'] } },
  )?.name;
}

/** The access token must not reach another host. */
function isOfPlatform(platform: LtiPlatformConfig, url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { origin } = new URL(url);
  return origin === platform.tokenUrl?.origin || platformOrigins(platform).includes(origin);
}

/** RFC 8288. */
function nextPage(link: string | null, base: string): string | undefined {
  const found = /<([^<>]{1,4000})>\s*;[^,<]*\brel="?next"?/.exec((link ?? '').slice(0, 16_384))?.[1];
  return found !== undefined && URL.canParse(found, base) ? new URL(found, base).href : undefined;
}

const unavailable = (detail: string) =>
  new PortholeError('sign_in_provider_unavailable', { detail: `roster: ${detail}` });
