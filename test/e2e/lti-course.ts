import { generateKeyPairSync } from 'node:crypto';
import { constantSecret } from '@porthole/shared/config/secret';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { roles, startLtiPlatform, type LtiPlatform } from '../fakes/lti/platform.ts';
import { startStack, type Stack } from './stack.ts';

/** A course of a learning platform on another site, whose page has Porthole in a frame with the id `tool`. */
export interface LtiCourse {
  readonly platform: LtiPlatform;
  readonly stack: Stack;
  stop(): Promise<void>;
}

export const student = { custom: { porthole_machine: 'lab/101' } };
export const teacher = { roles: [roles.instructor], username: 'ada', sub: '7' };

export async function startLtiCourse(): Promise<LtiCourse> {
  // Another host name than Porthole's is another site.
  const platform = await startLtiPlatform('localhost');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const toolKeys = constantSecret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  const guest = createBuiltinGuest({ name: 'lab-anna' });
  const stack = await startStack({
    machines: [{ vmid: 101, name: 'lab-anna', node: 'pve1', tags: ['lab'], guest }],
    rules: {
      classes: [
        {
          name: 'networks-1',
          title: 'Networks',
          members: { groups: ['lti:school:12:learner'] },
          instructors: { groups: ['lti:school:12:instructor'] },
          machines: { tags: ['lab'] },
          own: ['lab-{user}'],
          allow: ['control'],
        },
      ],
    },
    settings: () => ({ lti: { toolKeys, platforms: [platform.registration as never] } }),
  });
  platform.setTool(stack.origin);
  return {
    platform,
    stack,
    async stop() {
      await stack.stop();
      await platform.stop();
    },
  };
}
