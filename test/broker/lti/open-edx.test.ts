import { constantSecret } from '@porthole/shared/config/secret';
import { eventually } from '../../eventually.ts';
import { startOpenEdx, type OpenEdx } from '../../fakes/lti/open-edx.ts';
import { freePort } from '../../free-port.ts';
import { describeWith } from '../../needs.ts';
import { aCluster, closeBrokers, startBroker, type Rig } from '../rig.ts';
import { stepOf, toolKey } from './fixtures.ts';

const learner = { user: '1', role: 'student', username: 'anna', context: 'course-1' };
const teacher = { ...learner, user: '2', role: 'staff', username: 'ada' };

describeWith('openEdx')('the platform of Open edX', () => {
  let edx: OpenEdx;
  let rig: Rig;

  beforeAll(async () => {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    edx = await startOpenEdx(origin);
    rig = await startBroker({
      proxmox: [{ name: 'lab', fake: await aCluster() }],
      config: {
        publicUrl: origin,
        listen: `127.0.0.1:${port}`,
        access: [
          {
            who: { groups: ['lti:edx:course-1:learner'] },
            which: { names: ['lab-{user}'] },
            allow: ['control'],
          },
          { who: { groups: ['lti:edx:course-1:instructor'] }, which: { tags: ['lab'] }, allow: ['view'] },
        ],
        lti: {
          toolKeys: constantSecret(toolKey),
          platforms: [
            {
              name: 'edx',
              issuer: edx.origin,
              clientId: 'porthole',
              deploymentIds: ['1'],
              authorizationUrl: `${edx.origin}/auth`,
              jwksUrl: `${edx.origin}/jwks`,
              tokenUrl: `${edx.origin}/token`,
              claims: { name: ['email', 'preferred_username'] },
              rosters: ['course-1'],
            },
          ],
        },
      },
    });
  });
  afterAll(async () => {
    await closeBrokers();
    await edx.stop();
  });

  /** Does what a browser does with the redirects of both. */
  async function launch(wanted: Readonly<Record<string, unknown>>) {
    const { pathname, search } = await edx.begin(wanted);
    const login = await rig.ask(pathname + search);
    expect(login.status).toBe(303);
    const answer = await fetch(String(login.headers.location));
    const form = (await answer.json()) as Record<string, string>;
    return stepOf(
      await rig.ask('/lti/launch', {
        method: 'POST',
        raw: new URLSearchParams(form).toString(),
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          cookie: String(login.headers['set-cookie']).split(';', 1)[0] ?? '',
        },
      }),
    );
  }

  test('launches the machine of a learner', async () => {
    const step = await launch({ ...learner, custom: { porthole_machine: 'lab/101' } });
    expect(step.step).toBe('open');
    expect(await launch({ ...learner, context: 'course-2' })).toMatchObject({ step: 'error' });
  });

  test('accepts what a teacher chooses by deep linking', async () => {
    const step = await launch({ ...teacher, deepLinking: true });
    expect(step.step).toBe('select');
    const body = { code: step['code'], machines: ['lab/101'], classes: [] };
    const headers = { 'sec-fetch-site': 'same-origin' };
    const submit = (await rig.ask('/lti/select', { method: 'POST', body, headers })).json;
    const accepted = await fetch(submit.url as string, {
      method: 'POST',
      body: new URLSearchParams({ JWT: submit.jwt as string }),
    });
    expect(await accepted.json()).toMatchObject([
      { type: 'ltiResourceLink', custom: { porthole_machine: 'lab/101' } },
    ]);
  });

  test('gives an access token for its roster, whose members have their groups', async () => {
    const anna = await rig.signedIn('anna');
    await eventually('anna is a member', async () => {
      const list = await anna.get('/api/v1/consoles');
      return list.json.consoles?.length === 1;
    });
  });
});
