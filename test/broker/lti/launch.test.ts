import { closeBrokers } from '../rig.ts';
import { roles } from '../../fakes/lti/platform.ts';
import { startSchool, stepOf, type School } from './fixtures.ts';

let school: School;
beforeAll(async () => {
  school = await startSchool({
    config: {
      access: [
        { who: { groups: ['lti:school:12:learner'] }, which: { names: ['lab-{user}'] }, allow: ['control'] },
        { who: { groups: ['lti:school:12:instructor'] }, which: { tags: ['lab'] }, allow: ['view'] },
        { who: { groups: ['teaching-staff'] }, which: { names: ['teacher'] }, allow: ['terminal'] },
      ],
      classes: [
        {
          name: 'networks-1',
          title: 'Networks <1>',
          members: { groups: ['lti:school:12:learner'] },
          instructors: { groups: ['lti:school:12:instructor'] },
          machines: { tags: ['lab'] },
          own: ['lab-{user}'],
          allow: ['control'],
        },
      ],
    },
    registration: { groups: [{ group: 'teaching-staff', context: '12', role: 'assistant' }] },
  });
});
afterAll(async () => {
  await closeBrokers();
  await school.stop();
});

/** Opens a console as its page does, with the code of the page's address. */
async function openWith(url: string) {
  const { hash, pathname, search } = new URL(url);
  const post = (path: string, body: object, token?: string) =>
    school.rig.ask(path, {
      method: 'POST',
      body,
      headers: { 'sec-fetch-site': 'same-origin', ...(token ? { 'x-porthole-embed-token': token } : {}) },
    });
  const redeemed = await post('/api/v1/embed-tokens', { code: hash.replace('#code=', '') });
  const [, , cluster, vmid] = pathname.split('/');
  const mode = new URLSearchParams(search).get('mode') ?? 'control';
  return post(`/api/v1/consoles/${cluster}/${vmid}/grants`, { mode }, redeemed.json.token as string);
}

describe('a launch from a learning platform', () => {
  test('opens the machine that the link names, if a rule allows it for the role in the course', async () => {
    const step = await school.launch({ custom: { porthole_machine: 'lab/101' } });
    expect(step.step).toBe('open');
    expect((await openWith(step['url'] as string)).status).toBe(201);
    expect(school.rig.audited).toContainEqual(
      expect.objectContaining({
        event: 'grant',
        user: { id: 'lti:school:42', name: 'anna' },
        program: { id: 'lti:school', name: 'school' },
      }),
    );
    expect(school.rig.audited).toContainEqual(
      expect.objectContaining({
        event: 'lti_launch',
        provider: 'school',
        context: '12',
        message: 'resource_link',
      }),
    );
  });

  test('opens a machine in the mode that the rules allow', async () => {
    const custom = { porthole_machine: 'lab/102' };
    const step = await school.launch({ roles: [roles.instructor], custom, username: 'ada', sub: '7' });
    // Members of the class have `control` by the class, and its instructors on all machines.
    expect(new URL(step['url'] as string).search).toBe('');
    const refused = await school.launch({ custom });
    expect(refused).toMatchObject({ step: 'error', code: 'machine_not_found' });
  });

  test.each([
    ['of another course', { context: '13' }],
    ['without a role in the course', { roles: [] }],
    [
      'with a role in the institution only',
      { roles: ['http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor'] },
    ],
    [
      'who is an administrator of the platform',
      { roles: ['http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator'] },
    ],
  ])('gives no rights to a user %s', async (_case, launch) => {
    const step = await school.launch({ ...launch, custom: { porthole_machine: 'lab/101' } });
    expect(step).toMatchObject({ step: 'error', code: 'machine_not_found' });
  });

  test('gives a teaching assistant the configured group, and not the group of instructors', async () => {
    const wanted = { roles: [roles.instructor, roles.assistant], username: 'tom', sub: '8' };
    expect(await school.launch({ ...wanted, custom: { porthole_machine: 'lab/101' } })).toMatchObject({
      step: 'error',
    });
    const step = await school.launch(wanted);
    expect(new URL(step['url'] as string).pathname).toBe('/console/lab/200');
    expect(new URL(step['url'] as string).search).toBe('?kind=terminal');
  });

  test('without a target lets the user choose among the machines that the rules allow', async () => {
    const step = await school.launch({ roles: [roles.instructor], username: 'ada', sub: '7' });
    expect(step.step).toBe('choose');
    expect(step['machines'].map(({ name }: { name: string }) => name)).toEqual(['lab-anna', 'lab-ben']);
    for (const { url } of step['machines'] as { url: string }[])
      expect((await openWith(url)).status).toBe(201);
  });

  test('opens the own machine of a member of the class that the link names', async () => {
    const step = await school.launch({
      username: 'ben',
      sub: '43',
      custom: { porthole_class: 'networks-1' },
    });
    expect(new URL(step['url'] as string).pathname).toBe('/console/lab/102');
  });

  test('shows an instructor the class, and signs in for its page in a window of its own', async () => {
    const launch = {
      roles: [roles.instructor],
      username: 'ada',
      sub: '7',
      custom: { porthole_class: 'networks-1' },
    };
    const step = await school.launch(launch);
    expect(step).toMatchObject({ step: 'sign-in', title: 'Networks <1>' });
    const signIn = (headers: Record<string, string>) =>
      school.rig.ask('/lti/sign-in', {
        method: 'POST',
        raw: new URLSearchParams({ code: step['code'] as string }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      });
    // Another site must not sign a browser in to an account that it has chosen.
    expect((await signIn({ 'sec-fetch-site': 'cross-site' })).json.code).toBe('cross_site');
    const answer = await signIn({ 'sec-fetch-site': 'same-origin' });
    expect(answer.status).toBe(303);
    expect(new URL(String(answer.headers.location)).pathname).toBe('/classes');
    const cookie = String(answer.headers['set-cookie']).split(';', 1)[0] ?? '';
    const me = await school.rig.ask('/api/v1/me', { headers: { cookie } });
    expect(me.json).toMatchObject({ user: { id: 'lti:school:7', name: 'ada' }, canSeeClasses: true });
    const classes = await school.rig.ask('/api/v1/classes', { headers: { cookie } });
    expect(classes.json.available).toEqual([
      { name: 'networks-1', title: 'Networks <1>', role: 'instructor' },
    ]);
    expect(stepOf(await signIn({ 'sec-fetch-site': 'same-origin' }))).toMatchObject({
      code: 'lti_launch_expired',
    });
  });

  test('in a window of its own leads an instructor to the page of the class at once', async () => {
    const launch = {
      roles: [roles.instructor],
      username: 'ada',
      sub: '7',
      custom: { porthole_class: 'networks-1' },
    };
    const begun = await school.login(launch);
    const token = await school.platform.sign(school.platform.claimsOf(launch, begun.nonce));
    const answer = await school.post(begun, token, { 'sec-fetch-dest': 'document' });
    expect(stepOf(answer)).toEqual({ step: 'open', url: `${school.rig.config.publicUrl.origin}/classes` });
    expect(String(answer.headers['set-cookie'])).toContain('porthole=');
  });

  test('may be shown in frames of the platform only', async () => {
    const begun = await school.login();
    const answer = await school.post(begun, 'x');
    expect(String(answer.headers['content-security-policy'])).toContain(
      `frame-ancestors 'self' ${school.platform.origin};`.replace(/;$/, ''),
    );
    const page = await school.rig.ask('/');
    expect(String(page.headers['content-security-policy'])).toContain("frame-ancestors 'none'");
    const consolePage = await school.rig.ask('/console/lab/101');
    expect(String(consolePage.headers['content-security-policy'])).toContain(school.platform.origin);
  });

  test('binds the browser by a partitioned cookie, unless the platform stores data for it', async () => {
    const { pathname, search } = school.platform.loginUrl({});
    const answer = await school.rig.ask(pathname + search);
    expect(String(answer.headers['set-cookie'])).toMatch(
      /; HttpOnly; Secure; SameSite=None; Partitioned; Max-Age=600$/,
    );
    const stored = school.platform.loginUrl({ storageTarget: '_parent' });
    const page = await school.rig.ask(stored.pathname + stored.search);
    expect(page.headers['set-cookie']).toBeUndefined();
    expect(stepOf(page)).toMatchObject({ step: 'store', target: '_parent', origin: school.platform.origin });
  });

  test('needs the secret that the platform has stored for the browser', async () => {
    const launch = { storageTarget: '_parent', custom: { porthole_machine: 'lab/101' } };
    const begin = async () => {
      const { pathname, search } = school.platform.loginUrl(launch);
      const store = stepOf(await school.rig.ask(pathname + search));
      const next = new URL(store['next'] as string).searchParams;
      const begun = { state: next.get('state') ?? '', nonce: next.get('nonce') ?? '', cookie: '' };
      const token = await school.platform.sign(school.platform.claimsOf(launch, begun.nonce));
      return { store, confirm: stepOf(await school.post(begun, token)) };
    };
    const confirm = (code: unknown, secret: unknown) =>
      school.rig.ask('/lti/confirm', {
        method: 'POST',
        body: { code, secret },
        headers: { 'sec-fetch-site': 'same-origin' },
      });
    const right = await begin();
    expect(right.confirm).toMatchObject({ step: 'confirm', key: right.store['key'] });
    expect((await confirm(right.confirm['code'], right.store['secret'])).json.step).toBe('open');
    expect((await confirm(right.confirm['code'], right.store['secret'])).json.code).toBe(
      'lti_launch_expired',
    );
    const wrong = await begin();
    expect((await confirm(wrong.confirm['code'], right.store['secret'])).json.code).toBe(
      'lti_browser_unconfirmed',
    );
    expect((await confirm(wrong.confirm['code'], wrong.store['secret'])).json.code).toBe(
      'lti_launch_expired',
    );
  });
});
