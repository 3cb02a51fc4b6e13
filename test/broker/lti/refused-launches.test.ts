import { createHmac, createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { generateKeyPair } from 'jose';
import { parseLaunchClaims } from '@porthole/broker/lti/launch-message';
import { ltiSchema } from '@porthole/shared/config/lti-schema';
import { constantSecret } from '@porthole/shared/config/secret';
import { closeBrokers } from '../rig.ts';
import { roles, type Launch } from '../../fakes/lti/platform.ts';
import { startSchool, stepOf, type BegunLaunch, type School } from './fixtures.ts';

const claim = (name: string) => `https://purl.imsglobal.org/spec/lti/claim/${name}`;
const launch: Launch = { custom: { porthole_machine: 'lab/101' } };

let school: School;
beforeAll(async () => {
  school = await startSchool({
    others: [
      {
        name: 'university',
        issuer: 'http://127.0.0.1:1',
        clientId: 'porthole-at-university',
        deploymentIds: ['1'],
        authorizationUrl: 'http://127.0.0.1:1/auth',
        jwksUrl: 'http://127.0.0.1:1/jwks',
      },
    ],
    config: {
      access: [{ who: { everyone: true }, which: { all: true }, allow: ['control'] }],
      limits: { signInsPerAddressPerMinute: 1000 },
    },
  });
});
afterAll(async () => {
  await closeBrokers();
  await school.stop();
});

const claims = (begun: BegunLaunch, changed: Record<string, unknown> = {}) =>
  school.platform.claimsOf({ ...launch, claims: changed }, begun.nonce);

async function outcomeOf(token: (begun: BegunLaunch) => string | Promise<string>) {
  const begun = await school.login(launch);
  return stepOf(await school.post(begun, await token(begun)));
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a hostile launch is refused', () => {
  test('unlike the same launch without an attack', async () => {
    const step = await outcomeOf((begun) => school.platform.sign(claims(begun)));
    expect(step.step).toBe('open');
  });

  test.each<[string, Record<string, unknown>]>([
    ['of a foreign issuer', { iss: 'https://elsewhere.example' }],
    ['for another audience', { aud: 'another-tool' }],
    ['for several audiences without azp', { aud: ['porthole-at-school', 'another-tool'] }],
    ['for another authorized party', { azp: 'another-tool' }],
    ['of an unknown deployment', { [claim('deployment_id')]: '2' }],
    ['that has expired', { iat: 1_700_000_000, exp: 1_700_000_060 }],
    ['that was issued long ago', { iat: 1_700_000_000, exp: 4_000_000_000 }],
    ['that comes from the future', { iat: 4_000_000_000, exp: 4_000_000_060 }],
    ['that never expires', { exp: undefined }],
    ['without a time', { iat: undefined }],
    ['without a subject', { sub: undefined }],
    ['without a nonce', { nonce: undefined }],
    ['with the nonce of another launch', { nonce: 'A'.repeat(43) }],
    ['of another version', { [claim('version')]: '1.1' }],
    ['without a version', { [claim('version')]: undefined }],
    ['of an unknown kind', { [claim('message_type')]: 'LtiStartProctoring' }],
    ['without a resource link', { [claim('resource_link')]: undefined }],
    ['without roles', { [claim('roles')]: undefined }],
    ['with roles that are no list', { [claim('roles')]: roles.instructor }],
    ['with a thousand roles', { [claim('roles')]: Array(1000).fill('x') }],
    ['with a context whose id would not fit into a group', { [claim('context')]: { id: 'x'.repeat(191) } }],
    ['with a subject that would not fit into an id', { sub: 'x'.repeat(201) }],
    [
      'that asks for a selection without saying where it goes',
      { [claim('message_type')]: 'LtiDeepLinkingRequest' },
    ],
  ])('%s', async (_case, changed) => {
    const step = await outcomeOf((begun) => school.platform.sign(claims(begun, changed)));
    expect(step).toMatchObject({ step: 'error', code: 'lti_launch_invalid' });
  });

  test('whose token was used before, also with another state', async () => {
    const begun = await school.login(launch);
    const token = await school.platform.sign(claims(begun));
    expect(stepOf(await school.post(begun, token)).step).toBe('open');
    expect(stepOf(await school.post(begun, token))).toMatchObject({ code: 'lti_launch_expired' });
    const again = await school.login(launch);
    expect(stepOf(await school.post(again, token))).toMatchObject({ code: 'lti_launch_invalid' });
  });

  test('with the state of a launch from another platform', async () => {
    const url = new URL('http://x/lti/login');
    url.search = new URLSearchParams({ iss: 'http://127.0.0.1:1', login_hint: '42' }).toString();
    const answer = await school.rig.ask(url.pathname + url.search);
    const query = new URL(String(answer.headers.location)).searchParams;
    const begun = {
      state: query.get('state') ?? '',
      nonce: query.get('nonce') ?? '',
      cookie: String(answer.headers['set-cookie']).split(';', 1)[0] ?? '',
    };
    const step = stepOf(await school.post(begun, await school.platform.sign(claims(begun))));
    // The keys of the other platform are asked for, and those of the token's issuer never are.
    expect(step).toMatchObject({ step: 'error', code: 'sign_in_provider_unavailable' });
  });

  test('without a signature (alg none)', async () => {
    const step = await outcomeOf(
      (begun) => `${encode({ alg: 'none', kid: 'p1' })}.${encode(claims(begun))}.`,
    );
    expect(step).toMatchObject({ code: 'lti_launch_invalid' });
  });

  test('signed with the public key as a secret (HS256)', async () => {
    const pem = createPublicKey(await school.platform.publicKeyPem).export({ type: 'spki', format: 'pem' });
    const step = await outcomeOf((begun) => {
      const signed = `${encode({ alg: 'HS256', kid: 'p1' })}.${encode(claims(begun))}`;
      return `${signed}.${createHmac('sha256', pem).update(signed).digest('base64url')}`;
    });
    expect(step).toMatchObject({ code: 'lti_launch_invalid' });
  });

  test.each([['p1'], ['unknown']])('signed with a key of the attacker, with key id %s', async (kid) => {
    const { privateKey } = await generateKeyPair('RS256');
    const before = school.platform.asked.keys;
    const step = await outcomeOf((begun) => school.platform.sign(claims(begun), { key: privateKey, kid }));
    expect(step).toMatchObject({ code: 'lti_launch_invalid' });
    // Unknown key ids must not make the broker flood the platform.
    expect(school.platform.asked.keys - before).toBeLessThanOrEqual(1);
  });

  test('with a changed payload', async () => {
    const step = await outcomeOf(async (begun) => {
      const [header, , signature] = (await school.platform.sign(claims(begun))).split('.');
      return `${header}.${encode(claims(begun, { sub: 'admin' }))}.${signature}`;
    });
    expect(step).toMatchObject({ code: 'lti_launch_invalid' });
  });

  test('with an oversized token', async () => {
    const long = await outcomeOf((begun) => school.platform.sign(claims(begun, { x: 'y'.repeat(40_000) })));
    expect(long).toMatchObject({ step: 'error', code: 'bad_request' });
    const longer = await outcomeOf(() => 'x'.repeat(100_000));
    expect(longer).toMatchObject({ step: 'error', code: 'body_too_large' });
  });

  test('in a browser that did not begin it', async () => {
    const attacker = await school.login(launch);
    const token = await school.platform.sign(claims(attacker));
    const step = stepOf(await school.post({ ...attacker, cookie: '' }, token));
    expect(step).toMatchObject({ code: 'lti_browser_unconfirmed' });
    const another = await school.login(launch);
    const mixed = { ...(await school.login(launch)), cookie: another.cookie };
    const second = stepOf(await school.post(mixed, await school.platform.sign(claims(mixed))));
    expect(second).toMatchObject({ code: 'lti_browser_unconfirmed' });
  });

  test('after a login request that does not fit a registration', async () => {
    const ask = async (parameters: Record<string, string>) =>
      stepOf(await school.rig.ask(`/lti/login?${new URLSearchParams(parameters).toString()}`));
    const right = { iss: school.platform.origin, login_hint: '1' };
    expect(await ask({ ...right, iss: 'https://elsewhere.example' })).toMatchObject({
      code: 'lti_platform_unknown',
    });
    expect(await ask({ ...right, iss: `${right.iss}/` })).toMatchObject({ code: 'lti_platform_unknown' });
    expect(await ask({ ...right, client_id: 'another' })).toMatchObject({ code: 'lti_platform_unknown' });
    expect(await ask({ iss: right.iss })).toMatchObject({ code: 'bad_request' });
    expect(await ask({ ...right, lti_storage_target: '<b>' })).toMatchObject({ code: 'bad_request' });
  });

  test('and leaves a metric, an audit event and a log line, and no token in them', async () => {
    const begun = await school.login(launch);
    const token = await school.platform.sign(claims(begun, { aud: 'another-tool' }));
    const step = stepOf(await school.post(begun, token));
    expect(step['title']).toContain('Ask your administrator');
    expect(step['requestId']).not.toBe('');
    const refused = {
      event: 'sign_in_refused',
      method: 'lti',
      provider: 'school',
      code: 'lti_launch_invalid',
    };
    expect(school.rig.audited).toContainEqual(expect.objectContaining(refused));
    const metrics = await school.rig.registry.metrics();
    expect(metrics).toMatch(
      /porthole_broker_sign_ins_total\{method="lti",result="lti_launch_invalid"\} [1-9]/,
    );
    const log = school.rig.log.join('');
    expect(log).toContain('ERR_JWT_CLAIM_VALIDATION_FAILED aud');
    for (const secret of [...token.split('.'), begun.nonce, begun.state]) expect(log).not.toContain(secret);
  });

  test('when one address begins too many', async () => {
    const limited = await startSchool({ config: { limits: { signInsPerAddressPerMinute: 3 } } });
    for (let time = 0; time < 3; time += 1) await limited.login();
    const { pathname, search } = limited.platform.loginUrl({});
    const answer = await limited.rig.ask(pathname + search);
    expect(answer.status).toBe(429);
    expect(stepOf(answer)).toMatchObject({ step: 'error', code: 'rate_limited' });
    await limited.stop();
  });
});

describe('claims of a launch', () => {
  const [platform] = ltiSchema.parse({
    toolKeys: constantSecret(''),
    platforms: [
      {
        name: 'school',
        issuer: 'https://lms.example',
        clientId: 'c',
        deploymentIds: ['1'],
        authorizationUrl: 'https://lms.example/auth',
        jwksUrl: 'https://lms.example/jwks',
      },
    ],
  }).platforms;

  test('never make the parser throw, and what it accepts fits into a grant', () => {
    const value = fc.oneof(
      fc.anything({ maxDepth: 2 }),
      fc.string({ maxLength: 300 }),
      fc.array(fc.constantFrom(...Object.values(roles))),
      fc.record({ id: fc.string({ maxLength: 300 }) }),
    );
    const good = school.platform.claimsOf({ claims: { [claim('deployment_id')]: '1' } }, 'n');
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(good)), value), (changed) => {
        if (!platform) throw new Error('no platform');
        const parsed = parseLaunchClaims(platform, { ...good, ...changed });
        if (!parsed.ok) return parsed.detail !== '';
        const { subject, name, context } = parsed.message;
        const group = `lti:school:${context?.id ?? ''}:instructor`;
        return `lti:school:${subject}`.length <= 256 && name.length <= 256 && group.length <= 256;
      }),
      { numRuns: 300 },
    );
  });
});
