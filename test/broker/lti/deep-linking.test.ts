import { closeBrokers } from '../rig.ts';
import { roles } from '../../fakes/lti/platform.ts';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { aToolKey, startSchool, toolKey, type School } from './fixtures.ts';

const claim = (name: string) => `https://purl.imsglobal.org/spec/lti-dl/claim/${name}`;
const teacher = { roles: [roles.instructor], username: 'ada', sub: '7', deepLinking: true };

let school: School;
let keysFile = toolKey;
beforeAll(async () => {
  school = await startSchool({
    toolKeys: Object.assign(() => keysFile),
    config: {
      access: [
        { who: { groups: ['lti:school:12:instructor'] }, which: { names: ['lab-*'] }, allow: ['view'] },
      ],
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
        {
          name: 'physics',
          members: { groups: ['physics'] },
          instructors: { groups: ['physicists'] },
          machines: { tags: ['physics'] },
          own: ['*'],
          allow: ['control'],
        },
      ],
    },
  });
});
afterAll(async () => {
  await closeBrokers();
  await school.stop();
});

const select = (body: object) =>
  school.rig.ask('/lti/select', { method: 'POST', body, headers: { 'sec-fetch-site': 'same-origin' } });
const jwks = async () => (await school.rig.ask('/lti/jwks')).json as JSONWebKeySet;

describe('deep linking', () => {
  test('offers a teacher the machines and classes that the teacher sees, and signs the choice', async () => {
    const step = await school.launch(teacher);
    expect(step).toMatchObject({
      step: 'select',
      multiple: true,
      machines: [
        { id: 'lab/110', name: 'lab-10' },
        { id: 'lab/101', name: 'lab-anna' },
        { id: 'lab/102', name: 'lab-ben' },
      ],
      classes: [{ name: 'networks-1', title: 'Networks' }],
    });
    const wanted = {
      code: step['code'],
      machines: ['lab/101', 'lab/200'],
      classes: ['networks-1', 'physics'],
    };
    const answer = (await select(wanted)).json as { step: string; url: string; jwt: string };
    expect(answer).toMatchObject({ step: 'submit', url: `${school.platform.origin}/deep-link-return` });
    const { payload } = await jwtVerify(answer.jwt, createLocalJWKSet(await jwks()), {
      issuer: school.platform.clientId,
      audience: school.platform.origin,
    });
    const url = `${school.rig.config.publicUrl.origin}/lti/launch`;
    expect(payload).toMatchObject({
      'https://purl.imsglobal.org/spec/lti/claim/message_type': 'LtiDeepLinkingResponse',
      'https://purl.imsglobal.org/spec/lti/claim/deployment_id': school.platform.deploymentId,
      [claim('data')]: 'what the platform wants back',
      // Only what the teacher may see.
      [claim('content_items')]: [
        { type: 'ltiResourceLink', title: 'Networks', url, custom: { porthole_class: 'networks-1' } },
        { type: 'ltiResourceLink', title: 'lab-anna', url, custom: { porthole_machine: 'lab/101' } },
      ],
    });
    expect((await select(wanted)).json.code).toBe('lti_launch_expired');
    expect(school.rig.audited).toContainEqual(expect.objectContaining({ event: 'lti_selection', items: 2 }));
  });

  test('gives one item to a platform that accepts one', async () => {
    const step = await school.launch({ ...teacher, multiple: false });
    const answer = await select({ code: step['code'], machines: ['lab/101', 'lab/102'], classes: [] });
    const { payload } = await jwtVerify(answer.json.jwt as string, createLocalJWKSet(await jwks()));
    expect(payload[claim('content_items')]).toHaveLength(1);
  });

  test('is refused to learners', async () => {
    const step = await school.launch({ ...teacher, roles: [roles.learner] });
    expect(step).toMatchObject({ step: 'error', code: 'not_allowed' });
  });

  test('sends no answer to another origin than those of the platform', async () => {
    const settings = {
      deep_link_return_url: 'https://elsewhere.example/',
      accept_types: ['ltiResourceLink'],
    };
    const step = await school.launch({ ...teacher, claims: { [claim('deep_linking_settings')]: settings } });
    expect(step).toMatchObject({ step: 'error', code: 'lti_launch_invalid' });
  });
});

describe('the keys of the tool', () => {
  test('rotate: two are published, and the first one signs', async () => {
    const before = await jwks();
    expect(before.keys).toEqual([
      expect.objectContaining({ kty: 'RSA', alg: 'RS256', use: 'sig', kid: expect.any(String) }),
    ]);
    // The private parts stay here.
    for (const part of ['d', 'p', 'q', 'dp', 'dq', 'qi']) expect(before.keys[0]).not.toHaveProperty(part);
    keysFile = `${aToolKey()}\n${toolKey}`;
    const during = await jwks();
    expect(during.keys).toHaveLength(2);
    expect(during.keys[1]).toEqual(before.keys[0]);
    const step = await school.launch(teacher);
    const answer = await select({ code: step['code'], machines: ['lab/101'], classes: [] });
    const { protectedHeader } = await jwtVerify(answer.json.jwt as string, createLocalJWKSet(during));
    expect(protectedHeader.kid).toBe(during.keys[0]?.kid);
  });
});
