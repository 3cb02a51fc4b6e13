import { z } from 'zod';
import type { LtiConfig, LtiPlatformConfig } from '@porthole/shared/config/lti-schema';
import type { LoginResolver } from '../sign-in/logins/login-resolver.ts';
import { launchMessage, type LaunchMessage } from './launch-message.ts';
import { ltiMethodName, userOfLaunch } from './roles.ts';

/** What a sign-in by a launch stores. The groups follow the current configuration. */
const ltiLoginData = launchMessage.pick({
  subject: true,
  name: true,
  displayName: true,
  roles: true,
  context: true,
});

export function loginDataOfLaunch(message: LaunchMessage): z.infer<typeof ltiLoginData> {
  return ltiLoginData.parse(message);
}

/** The claims of the launch stay valid until the sign-in ends: platforms offer no refresh. */
export function createLtiLoginResolvers(config: LtiConfig | undefined): LoginResolver[] {
  return (config?.platforms ?? []).map(createResolver);
}

function createResolver(platform: LtiPlatformConfig): LoginResolver {
  return {
    method: ltiMethodName(platform.name),
    async resolveUser({ data }) {
      const parsed = ltiLoginData.safeParse(data);
      return parsed.success ? userOfLaunch(platform, parsed.data) : undefined;
    },
  };
}
