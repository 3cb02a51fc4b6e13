import { rm } from 'node:fs/promises';
import { createDirectoryStorage } from '@porthole/shared/recording/storage/directory-storage';
import { createRoutes, type RouteDeps } from '@porthole/broker/routes';
import { createEmbedTokens } from '@porthole/broker/sign-in/embed-tokens';
import { errorKinds, type ErrorCode } from '@porthole/shared/errors';
import { constantSecret } from '@porthole/shared/config/secret';
import { grantKeysOf } from '@porthole/shared/config/read';
import { systemRandom } from '@porthole/shared/crypto/random';
import { explained, grant, methodOf, power, steps, type Step } from './openapi-steps.ts';
import { startOpenApiWorld, type OpenApiWorld } from './openapi-world.ts';
import { readOpenApi } from './openapi.ts';
import type { Answer, Asking } from './browser.ts';
import { closeBrokers, grantKey, startBroker } from './rig.ts';
import { terminalPart } from '../fakes/recordings/write-recording.ts';
import { aRecording, lessonAt } from './recordings/fixtures.ts';
import { live } from './sessions/fixtures.ts';

const api = readOpenApi();
const ours = { 'sec-fetch-site': 'same-origin' };

test('the file names every route of the broker, and no other', () => {
  const deps = {
    sessions: {},
    recordings: {},
    classes: { config: { publicUrl: new URL('http://localhost'), limits: {} } },
    power: { keys: () => [grantKey], random: systemRandom },
    grants: { config: { publicUrl: new URL('http://localhost'), allowedOrigins: [], limits: {} }, store: {} },
    signIn: { signInMethods: [] },
  } as unknown as RouteDeps;
  const routes = createRoutes(deps).stack.flatMap(({ methods, path }) =>
    methods
      .filter((method) => method !== 'HEAD')
      .map(
        (method) =>
          `${method} ${String(path)
            .slice('/api/v1'.length)
            .replaceAll(/:(\w+)/g, '{$1}')}`,
      ),
  );
  // The ways to sign in bring their own; the walk below knocks at each.
  const ways = api.operations.filter((name) => / \/login\/(oidc|proxmox)\//.test(name));
  expect([...routes, ...ways].toSorted()).toEqual(api.operations.toSorted());
});

describe('every status that the file names', () => {
  const seen = new Map<string, Set<string>>();
  const see = (name: string, answer: Answer, status: number) => {
    expect([name, answer.status, answer.text]).toEqual([name, status, expect.any(String)]);
    expect(api.faultOf(name, answer)).toBeUndefined();
    seen.set(name, (seen.get(name) ?? new Set()).add(String(status)));
  };

  const answered: (readonly [operation: string, status: number])[] = [];
  let walk: OpenApiWorld;

  beforeAll(async () => {
    walk = await startOpenApiWorld();
  });
  afterAll(async () => {
    await closeBrokers();
    await walk.fake.close();
    await walk.issuer.stop();
    await rm(walk.recordings, { recursive: true });
  });

  const theStep = (name: string) => steps.find((step) => step.name === name) as Step;
  const documented = (step: Step, status: number) => api.statusesOf(step.name).includes(String(status));
  const ask = (step: Step, asking: Asking = {}): Promise<Answer> =>
    walk.rig.ask(`/api/v1${step.path}`, {
      method: methodOf(step),
      ...(step.body === undefined ? {} : { body: step.body }),
      ...asking,
      headers: { ...ours, ...(step.open ? {} : { cookie: walk.anna.cookie ?? '' }), ...asking.headers },
    });
  test('all operations take part', () => {
    expect(steps.map(({ name }) => name).toSorted()).toEqual(api.operations.toSorted());
  });

  const bodied = steps.filter(({ body }) => body !== undefined);
  const changing = steps.filter((step) => methodOf(step) !== 'GET');

  test.each(steps.filter(({ open }) => !open))('401: $name without a sign-in', async (step) => {
    see(step.name, await ask(step, { headers: { cookie: '' } }), 401);
  });

  test.each(changing.filter((step) => !step.name.includes('oidc')))(
    '403: $name from another site',
    async (step) => {
      see(step.name, await ask(step, { headers: { 'sec-fetch-site': 'cross-site' } }), 403);
    },
  );

  test.each(bodied)('400, 413, 415: $name with a body that is none', async (step) => {
    see(step.name, await ask(step, { body: { strange: true } }), 400);
    see(step.name, await ask(step, { raw: `"${'x'.repeat(17_000)}"` }), 413);
    see(step.name, await ask(step, { headers: { 'content-type': 'text/plain' } }), 415);
  });

  test.each(steps.filter((step) => documented(step, 429)))('429: $name too often', async (step) => {
    walk.away.limited = true;
    // The rig compares the answer with the file: not all operations have a limit for signed-in users.
    await ask(step);
    const token = { headers: { authorization: 'Bearer a.b.c' } };
    see(step.name, await ask(step, step.open ? {} : token), 429);
    walk.away.limited = false;
  });

  function logoutClaims({ url, clientId }: { readonly url: string; readonly clientId: string }, jti: string) {
    const now = Math.floor(Date.now() / 1000);
    return {
      sub: 'anna-1',
      jti,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      iss: url,
      aud: clientId,
      iat: now,
      exp: now + 100,
    };
  }

  /** Bodies that pass all checks before the store is needed. */
  const validBodies: Readonly<Record<string, unknown>> = {
    'POST /login': { username: 'anna', password: 'correct horse battery staple' },
    'POST /login/proxmox/{cluster}': { realm: 'pve', username: 'anna', password: 'pw of anna' },
    'POST /login/proxmox/{cluster}/code': { id: 'x'.repeat(43), factor: 'totp', code: '1' },
  };

  test.each(steps)('$name while the store is away, with 503 if the file names it', async (step) => {
    const { anna, issuer } = walk;
    const body = validBodies[step.name];
    const logoutForm = {
      raw: `logout_token=${await issuer.sign(logoutClaims(issuer, 'while the store is away'))}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    };
    walk.away.store = true;
    const answer = await ask(step, {
      ...(body === undefined ? {} : { body }),
      ...(step.name.endsWith('{issuer}/logout') ? logoutForm : { headers: { cookie: anna.cookie ?? '' } }),
    });
    if (documented(step, 503)) see(step.name, answer, 503);
    else expect(answer.status).not.toBe(503);
    walk.away.store = false;
  });

  /** What can keep a user from being identified, whatever the sign-in method. */
  const loginErrors: readonly ErrorCode[] = [
    'not_signed_in',
    'token_invalid',
    'identity_header_untrusted',
    'rate_limited',
    'sign_in_provider_unavailable',
    'proxmox_permission',
    'store_unavailable',
    'proxmox_timeout',
  ];

  describe.each(loginErrors)('%s while the user is identified:', (code) => {
    afterEach(() => (walk.away.login = undefined));

    test.each(steps.filter(({ open }) => !open))('$name', async (step) => {
      walk.away.login = code;
      see(step.name, await ask(step), errorKinds[code].status);
    });
  });

  test('404: a sign-in method that is not configured', async () => {
    const plain = await startBroker({ config: { signIn: { header: { from: ['10.0.0.0/8'] } } } });
    const methods = steps.filter(({ name }) => / \/login(\/|$)/.test(name) && name !== 'GET /login');
    expect(methods).toHaveLength(6);
    for (const step of methods) {
      const answer = await plain.ask(`/api/v1${step.path}`, {
        method: methodOf(step),
        body: step.body,
        headers: ours,
      });
      see(step.name, answer, 404);
    }
  });

  test('an issuer that is away', async () => {
    const oidc = [{ name: 'school', issuer: 'http://127.0.0.1:1', clientId: 'porthole' }];
    const rig = await startBroker({ config: { signIn: { oidc } } });
    for (const step of steps.filter(({ name }) => name.includes('oidc')))
      see(
        step.name,
        await rig.ask(`/api/v1${step.path}`, { method: methodOf(step), headers: ours }),
        step.name.startsWith('GET') ? 303 : 502,
      );
  });

  test('signing in and out', async () => {
    const { rig, anna, issuer } = walk;
    see('GET /login', await anna.get('/api/v1/login'), 200);
    const browser = rig.browser();
    see('POST /login', await browser.signIn('anna'), 200);
    see('POST /login', await browser.signIn('anna', 'wrong'), 401);
    const { json } = await anna.get('/api/v1/me/logins');
    see('GET /me', await anna.get('/api/v1/me'), 200);
    see('GET /me/logins', await anna.get('/api/v1/me/logins'), 200);
    const other = json.logins.find(({ current }: { current: boolean }) => !current);
    see('DELETE /me/logins/{id}', await anna.delete(`/api/v1/me/logins/${other.id}`), 204);
    see('DELETE /me/logins/{id}', await anna.delete(`/api/v1/me/logins/${other.id}`), 404);
    see('POST /logout', await browser.post('/api/v1/logout'), 200);
    see('DELETE /logins', await anna.delete('/api/v1/logins?user=nobody'), 200);
    see('DELETE /logins', await anna.delete('/api/v1/logins'), 400);

    const oidc = '/login/oidc/{issuer}';
    see(`GET ${oidc}`, await browser.get('/api/v1/login/oidc/school'), 303);
    see(`GET ${oidc}/callback`, await browser.get('/api/v1/login/oidc/school/callback?code=x&state=y'), 303);
    const logout = (token: string) =>
      rig.ask('/api/v1/login/oidc/school/logout', {
        method: 'POST',
        raw: `logout_token=${token}`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    see(`POST ${oidc}/logout`, await logout('none'), 400);
    const token = await issuer.sign(logoutClaims(issuer, 'once'));
    see(`POST ${oidc}/logout`, await logout(token), 200);

    const proxmox = 'POST /login/proxmox/{cluster}';
    const enter = (body: object, path = '') => browser.post(`/api/v1/login/proxmox/school${path}`, body);
    see(proxmox, await enter({ realm: 'pve', username: 'anna', password: 'wrong' }), 401);
    see(proxmox, await enter({ realm: 'pve', username: 'anna', password: 'pw of anna' }), 200);
    const half = await enter({ realm: 'pve', username: 'carl', password: 'pw of carl' });
    see(proxmox, half, 200);
    const { id } = half.json.secondFactor;
    see(`${proxmox}/code`, await enter({ id, factor: 'totp', code: '000000' }, '/code'), 401);
    see(`${proxmox}/code`, await enter({ id, factor: 'totp', code: '123456' }, '/code'), 200);
  });

  test('signing out of a set-up without a proxy in front, and without local users', async () => {
    const plain = await startBroker();
    see('POST /logout', await (await plain.signedIn('anna')).post('/api/v1/logout'), 204);
    const none = await startBroker({
      config: { signIn: { header: { from: ['10.0.0.0/8'] } } },
    });
    const answer = await none.browser().signIn('anna');
    see('POST /login', answer, 404);
  });

  test('consoles, grants and power', async () => {
    const { anna, ben, fake } = walk;
    see('GET /consoles', await anna.get('/api/v1/consoles'), 200);
    const grants = 'POST /consoles/{cluster}/{vmid}/grants';
    see(grants, await anna.post(`/api/v1${grant}`, { mode: 'control' }), 201);
    see(grants, await ben.post('/api/v1/consoles/school/200/grants', { mode: 'view' }), 404);
    const powers = 'POST /consoles/{cluster}/{vmid}/power';
    const begun = await anna.post(`/api/v1${power}`, { action: 'start' });
    see(powers, begun, 202);
    see(powers, await ben.post('/api/v1/consoles/school/200/power', { action: 'start' }), 404);
    const follow = 'GET /consoles/{cluster}/{vmid}/power/{task}';
    see(follow, await anna.get(`/api/v1${power}/${begun.json.task}`), 200);
    see(follow, await anna.get(`/api/v1${power}/none`), 404);
    fake.failRequests(/status\/stop/, { status: 500, message: 'no' });
    see(powers, await anna.post('/api/v1/consoles/school/101/power', { action: 'stop' }), 502);
    const explain = 'GET /access/explain';
    see(explain, await anna.get(`/api/v1${explained}`), 200);
    see(explain, await anna.get('/api/v1/access/explain'), 400);
    see(explain, await anna.get('/api/v1/access/explain?user=ben&cluster=school&vmid=999'), 404);
    see(explain, await ben.get(`/api/v1${explained}`), 403);
  });

  test('the audit', async () => {
    const { anna, ben } = walk;
    see('GET /audit', await anna.get('/api/v1/audit'), 200);
    see('GET /audit', await anna.get('/api/v1/audit?limit=0'), 400);
    see('GET /audit', await ben.get('/api/v1/audit'), 403);
  });

  test('sessions', async () => {
    const { anna, ben, store } = walk;
    await live(store, { sessionId: 's1', user: { id: 'local:ben', name: 'ben' } });
    await live(store, { sessionId: 's2' });
    walk.clock.advance(1000);
    const list = await anna.get('/api/v1/sessions?scope=all');
    see('GET /sessions', list, 200);
    expect(list.json.sessions).toHaveLength(2);
    const etag = String(list.headers['etag']);
    see('GET /sessions', await anna.get('/api/v1/sessions?scope=all', { 'if-none-match': etag }), 304);
    see('GET /sessions', await anna.get('/api/v1/sessions?scope=some'), 400);
    see('GET /sessions', await anna.get('/api/v1/sessions?scope=class&class=none'), 404);
    const control = (id: string, action: string) => anna.post(`/api/v1/sessions/${id}/control`, { action });
    see('POST /sessions/{id}/control', await control('none', 'take'), 404);
    see('POST /sessions/{id}/control', await control('s2', 'release'), 204);
    see('DELETE /sessions', await anna.delete('/api/v1/sessions'), 400);
    see('DELETE /sessions', await anna.delete('/api/v1/sessions?class=none'), 404);
    see('DELETE /sessions', await anna.delete('/api/v1/sessions?user=local:ben'), 200);
    see('DELETE /sessions/{id}', await anna.delete('/api/v1/sessions/none'), 404);
    see('DELETE /sessions/{id}', await anna.delete('/api/v1/sessions/s1'), 204);
    expect((await ben.get('/api/v1/sessions')).status).toBe(200);
  });

  test('classes', async () => {
    const { anna, ben, store } = walk;
    await live(store, {
      sessionId: 's3',
      user: { id: 'local:ben', name: 'ben' },
      classes: [{ name: 'lab', role: 'member' }],
    });
    walk.clock.advance(1000);
    const actions = 'POST /classes/{name}/actions';
    const act = (browser: typeof anna, body: object, name = 'lab') =>
      browser.post(`/api/v1/classes/${name}/actions`, body);
    for (const body of [
      { action: 'pause', seconds: 60, text: 'Eyes up here.' },
      { action: 'message', text: 'Five more minutes.', users: ['local:ben'] },
      { action: 'lower', users: ['local:ben'] },
      { action: 'show', cluster: 'school', vmid: 101 },
      { action: 'end' },
      { action: 'start' },
    ])
      see(actions, await act(anna, body), 204);
    // Off.
    see(actions, await act(anna, { action: 'show', cluster: 'school', vmid: 110 }), 409);
    const list = await anna.get('/api/v1/classes');
    see('GET /classes', list, 200);
    expect(list.json.classes[0]).toMatchObject({
      name: 'lab',
      role: 'instructor',
      lesson: { now: {} },
      timetable: { startMinutes: 10, shutdownMinutes: 30 },
      paused: { text: 'Eyes up here.' },
      shown: { vmid: 101 },
    });
    const etag = String(list.headers['etag']);
    see('GET /classes', await anna.get('/api/v1/classes', { 'if-none-match': etag }), 304);
    see('GET /classes', await anna.get('/api/v1/classes?which=all'), 400);
    see('GET /classes', await ben.get('/api/v1/classes'), 200);
    for (const action of ['resume', 'cancel_end', 'stop_showing'])
      see(actions, await act(anna, { action }), 204);
    see(actions, await act(anna, { action: 'resume' }, 'none'), 404);
    see(actions, await act(ben, { action: 'resume' }), 403);
    const wall = 'POST /classes/{name}/wall';
    see(wall, await anna.post('/api/v1/classes/lab/wall'), 201);
    see(wall, await anna.post('/api/v1/classes/none/wall'), 404);
    see(wall, await ben.post('/api/v1/classes/lab/wall'), 403);
  });

  test('recordings', async () => {
    const { anna, ben, mia, rig, store, recordings } = walk;
    const storage = createDirectoryStorage(recordings);
    const id = await aRecording(storage);
    const open = await aRecording(storage, {
      startedAt: lessonAt + 1000,
      facts: { session: 's-open' },
      parts: [{ write: terminalPart(['one']), end: null }],
    });
    await live(store, { sessionId: 's-open' });
    walk.clock.advance(1000);
    const at = (path: string) => `/api/v1/recordings${path}`;
    see('GET /recordings', await anna.get(at('?limit=1')), 200);
    see('GET /recordings', await anna.get(at('?limit=0')), 400);
    see('GET /recordings', await ben.get(at('')), 403);
    const withoutStorage = await startBroker();
    see('GET /recordings', await (await withoutStorage.signedIn('anna')).get(at('')), 404);
    const one = 'GET /recordings/{id}';
    const shown = await anna.get(at(`/${id}`));
    see(one, shown, 200);
    see(one, await anna.get(at('/none')), 404);
    see(one, await ben.get(at(`/${id}`)), 403);
    const chunk = 'GET /recordings/{id}/parts/{part}/chunks/{chunk}';
    const chunkPath = at(`/${id}/parts/${shown.json.parts[0].part}/chunks/0`);
    see(chunk, await anna.get(chunkPath), 200);
    see(chunk, await anna.get(at(`/${id}/parts/none/chunks/0`)), 404);
    see(chunk, await ben.get(chunkPath), 403);
    see('GET /recordings/{id}/download', await anna.get(at(`/${id}/download`)), 200);
    see('GET /recordings/{id}/download', await anna.get(at('/none/download')), 404);
    const hold = (method: 'PUT' | 'DELETE', browser: typeof anna, of = id) =>
      rig.ask(at(`/${of}/hold`), { method, headers: { ...ours, cookie: browser.cookie ?? '' } });
    for (const method of ['PUT', 'DELETE'] as const) {
      see(`${method} /recordings/{id}/hold`, await hold(method, anna), 204);
      see(`${method} /recordings/{id}/hold`, await hold(method, mia), 403);
      see(`${method} /recordings/{id}/hold`, await hold(method, anna, 'none'), 404);
    }
    see('DELETE /recordings/{id}', await anna.delete(at(`/${open}`)), 409);
    see('DELETE /recordings/{id}', await mia.delete(at(`/${id}`)), 403);
    see('DELETE /recordings/{id}', await anna.delete(at(`/${id}`)), 204);
    see('DELETE /recordings/{id}', await anna.delete(at(`/${id}`)), 404);
  });

  test('a page that a program opened gets its pass, once', async () => {
    const { rig, store, clock } = walk;
    const passes = createEmbedTokens({
      records: store.records,
      keys: grantKeysOf(constantSecret(grantKey)),
      random: systemRandom,
      clock,
    });
    const code = await passes.createCode({
      user: { id: 'portal:1', name: 'anna', groups: [] },
      program: { id: 'portal', name: 'portal' },
      loginRef: 'l',
      cluster: 'school',
      vmid: 101,
      mode: 'control',
      kind: 'screen',
      until: clock.now() + 60_000,
    });
    const give = () => rig.browser().post('/api/v1/embed-tokens', { code });
    see('POST /embed-tokens', await give(), 200);
    see('POST /embed-tokens', await give(), 401);
  });

  describe.each([
    ['401', { status: 401, message: 'Authentication failed!' }],
    ['403', { status: 403, message: 'Permission check failed' }],
    ['500', { status: 500, message: 'internal error' }],
    ['595', { status: 595, message: 'Connection refused' }],
    ['no JSON', { body: '<html>' }],
    ['JSON of another kind', { body: '{"data":[{"vmid":"none"}]}' }],
  ])('Proxmox responds %s:', (_what, fault) => {
    const upstream = steps.filter(({ name }) => /proxmox|consoles|explain/.test(name));

    test.each(upstream)('$name', async (step) => {
      const { anna, clock, fake } = walk;
      const begun = await anna.post(`/api/v1${power}`, { action: 'start' });
      const task = begun.status === 202 ? String(begun.json.task) : 'none';
      clock.advance(5000);
      fake.failRequests(/./, fault);
      const body = validBodies[step.name] ?? step.body;
      // The rig compares the answer with the file.
      const { status } = await ask({ ...step, path: step.path.replace('/none', `/${task}`), body });
      answered.push([step.name, status]);
      fake.failRequests(/./, null);
      clock.advance(5000);
    });
  });

  test('Proxmox fails at the second factor', async () => {
    const { rig, fake } = walk;
    const name = 'POST /login/proxmox/{cluster}/code';
    const body = { realm: 'pve', username: 'carl', password: 'pw of carl' };
    const browser = rig.browser();
    const { id } = (await browser.post('/api/v1/login/proxmox/school', body)).json.secondFactor;
    const code = { id, factor: 'totp', code: '123456' };
    const enter = () => browser.post('/api/v1/login/proxmox/school/code', code);
    fake.failRequests(/./, { body: '<html>' });
    see(name, await enter(), 502);
    fake.failRequests(/./, { status: 595, message: 'No route to host' });
    see(name, await enter(), 504);
    fake.failRequests(/./, null);
  });

  test('the answers to failures of Proxmox are seen, too', () => {
    expect(answered.some(([, status]) => status === 502)).toBe(true);
    for (const [name, status] of answered) seen.set(name, (seen.get(name) ?? new Set()).add(String(status)));
  });

  test('504: while Proxmox is away', async () => {
    const { anna, clock, fake } = walk;
    const begun = await anna.post('/api/v1/consoles/school/102/power', { action: 'shutdown' });
    for (const { name } of fake.nodes) await fake.setNodeDown(name, true);
    clock.advance(5000);
    see('POST /consoles/{cluster}/{vmid}/grants', await anna.post(`/api/v1${grant}`, { mode: 'view' }), 504);
    see('POST /consoles/{cluster}/{vmid}/power', await anna.post(`/api/v1${power}`, { action: 'stop' }), 504);
    see(
      'GET /consoles/{cluster}/{vmid}/power/{task}',
      await anna.get(`/api/v1/consoles/school/102/power/${begun.json.task}`),
      504,
    );
    see('GET /access/explain', await anna.get(`/api/v1${explained}`), 504);
    see('POST /login/proxmox/{cluster}', await ask(theStep('POST /login/proxmox/{cluster}')), 504);
    clock.advance(11 * 60_000);
    see('GET /consoles', await anna.get('/api/v1/consoles'), 504);
  });

  test('was seen in these tests', () => {
    const named = api.operations.flatMap((name) => api.statusesOf(name).map((status) => `${name} ${status}`));
    const met = [...seen].flatMap(([name, statuses]) => [...statuses].map((status) => `${name} ${status}`));
    expect(named.filter((one) => !met.includes(one))).toEqual([]);
  });
});
