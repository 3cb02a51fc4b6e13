import { readRoster } from '@porthole/broker/lti/read-roster';
import { ltiSchema } from '@porthole/shared/config/lti-schema';
import { constantSecret } from '@porthole/shared/config/secret';
import { eventually } from '../../eventually.ts';
import { createFakeClock } from '../../fakes/clock.ts';
import { roles } from '../../fakes/lti/platform.ts';
import type { Browser } from '../browser.ts';
import { closeBrokers, type Rig } from '../rig.ts';
import { startSchool, type School } from './fixtures.ts';

const clock = createFakeClock(Date.now());
let school: School;
beforeAll(async () => {
  school = await startSchool({
    rig: { clock },
    registration: { rosters: ['12'], claims: { name: ['lis.person_sourcedid', 'sub'] } },
  });
});
afterAll(async () => {
  await closeBrokers();
  await school.stop();
});

const browsers = new Map<string, Promise<Browser>>();
const machinesOf = async (rig: Rig, name: string) => {
  const browser = browsers.get(name) ?? rig.signedIn(name);
  browsers.set(name, browser);
  const list = await (await browser).get('/api/v1/consoles');
  return list.json.consoles.map((one: { name: string }) => one.name) as string[];
};

describe('the roster of a course', () => {
  const learner = { roles: [roles.learner] };

  test('gives its members their groups also when they sign in in another way', async () => {
    school.platform.setMembers([
      { user_id: '42', lis_person_sourcedid: 'anna', ...learner, status: 'Active' },
      { user_id: '43', lis_person_sourcedid: 'ben', ...learner, status: 'Inactive' },
      // Without the claim that holds the name, a member is not called by another claim.
      { user_id: 'ben', ...learner },
    ]);
    // Before a launch has told where the list is, the platform is not asked.
    expect(await machinesOf(school.rig, 'anna')).toEqual([]);
    expect(school.platform.asked.members).toBe(0);
    await school.launch({ custom: { porthole_machine: 'lab/101' } });
    clock.advance(61_000);
    await eventually('anna is a member', async () =>
      (await machinesOf(school.rig, 'anna')).includes('lab-anna'),
    );
    expect(await machinesOf(school.rig, 'ben')).toEqual([]);
    // Three members on pages of two, with one access token.
    expect(school.platform.asked).toMatchObject({ members: 2, tokens: 1 });
    expect(await school.rig.registry.metrics()).toContain('porthole_broker_lti_rosters_total{result="ok"} 1');
  });

  test('is read again every five minutes, so that a former member loses the groups', async () => {
    school.platform.setMembers([]);
    expect(await machinesOf(school.rig, 'anna')).toEqual(['lab-anna']);
    clock.advance(5 * 60_000 + 1);
    await eventually('anna is no member', async () => (await machinesOf(school.rig, 'anna')).length === 0);
  });
});

describe('reading a roster', () => {
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
        tokenUrl: 'https://lms.example/token',
      },
    ],
  }).platforms;
  const members = (count: number) =>
    Array.from({ length: count }, (_each, index) => ({
      user_id: `${index}`,
      ext: {},
      roles: ['Learner'],
    }));

  async function read(body: unknown, link?: string) {
    if (!platform) throw new Error('no platform');
    const asked: string[] = [];
    const fetch = async (url: string) => {
      asked.push(url);
      return new Response(JSON.stringify(body), link === undefined ? {} : { headers: { link } });
    };
    const result = await readRoster(
      { ...platform, claims: { ...platform.claims, name: ['sub'] } },
      'https://lms.example/m',
      {
        fetch,
        accessToken: async () => 'secret token',
      },
    ).catch((error: unknown) => error);
    return { result, asked };
  }

  test('reads names and roles', async () => {
    const { result } = await read({ members: members(2) });
    expect(result).toEqual([
      { name: '0', roles: ['learner'] },
      { name: '1', roles: ['learner'] },
    ]);
  });

  test('never sends the access token to another origin', async () => {
    const { result, asked } = await read({ members: [] }, '<https://elsewhere.example/m>; rel="next"');
    expect(result).toMatchObject({ code: 'sign_in_provider_unavailable' });
    expect(asked).toEqual(['https://lms.example/m']);
  });

  test('ends after twenty pages and five thousand members', async () => {
    const endless = await read({ members: [] }, '</m?next>; rel="next"');
    expect(endless.result).toMatchObject({ code: 'sign_in_provider_unavailable' });
    expect(endless.asked).toHaveLength(20);
    const huge = await read({ members: members(5001) });
    expect(huge.result).toMatchObject({ code: 'sign_in_provider_unavailable' });
  });

  test('refuses what is no list of members', async () => {
    for (const body of [{}, { members: 'all' }, { members: [{ user_id: '1' }] }, null])
      expect((await read(body)).result).toMatchObject({ code: 'sign_in_provider_unavailable' });
  });
});
