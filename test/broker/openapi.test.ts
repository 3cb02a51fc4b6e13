import { createRoutes, type RouteDeps } from '@porthole/broker/routes';
import { createEmbedTokens } from '@porthole/broker/sign-in/embed-tokens';
import { constantSecret } from '@porthole/shared/config/secret';
import { grantKeysOf } from '@porthole/shared/config/read';
import { systemRandom } from '@porthole/shared/crypto/random';
import { explained, grant, methodOf, power, steps, type Step } from './openapi-steps.ts';
import { startOpenApiWorld, type OpenApiWorld } from './openapi-world.ts';
import { readOpenApi } from './openapi.ts';
import type { Answer, Asking } from './browser.ts';
import { closeBrokers, grantKey, startBroker } from './rig.ts';
import { live } from './sessions/fixtures.ts';

const api = readOpenApi();
const ours = { 'sec-fetch-site': 'same-origin' };

test('the file names every route of the broker, and no other', () => {
  const deps = {
    sessions: {},
    power: { keys: () => [grantKey], random: systemRandom },
    grants: { config: { publicUrl: new URL('http://localhost'), allowedOrigins: [], limits: {} } },
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

  let walk: OpenApiWorld;

  beforeAll(async () => {
    walk = await startOpenApiWorld();
  });
  afterAll(async () => {
    await closeBrokers();
    await walk.fake.close();
    await walk.issuer.stop();
  });

  const documented = (step: Step, status: number) => api.statusesOf(step.name).includes(String(status));
  const ask = (step: Step, asking: Asking = {}): Promise<Answer> =>
    walk.rig.ask(`/api/v1${step.path}`, {
      method: methodOf(step),
      ...(step.body === undefined ? {} : { body: step.body }),
      ...asking,
      headers: { ...ours, ...(step.open ? {} : { cookie: walk.anna.cookie ?? '' }), ...asking.headers },
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
    see(step.name, await ask(step), 429);
    walk.away.limited = false;
  });

  test.each(steps.filter((step) => documented(step, 503)))(
    '503: $name while the store is away',
    async (step) => {
      walk.away.store = true;
      const right = { body: { username: 'anna', password: 'correct horse battery staple' } };
      see(step.name, await ask(step, step.name === 'POST /login' ? right : {}), 503);
      walk.away.store = false;
    },
  );

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
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      sub: 'anna-1',
      jti: 'once',
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    };
    const token = await issuer.sign({
      ...claims,
      iss: issuer.url,
      aud: issuer.clientId,
      iat: now,
      exp: now + 100,
    });
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
    see('DELETE /sessions', await anna.delete('/api/v1/sessions'), 400);
    see('DELETE /sessions', await anna.delete('/api/v1/sessions?class=none'), 404);
    see('DELETE /sessions', await anna.delete('/api/v1/sessions?user=local:ben'), 200);
    see('DELETE /sessions/{id}', await anna.delete('/api/v1/sessions/none'), 404);
    see('DELETE /sessions/{id}', await anna.delete('/api/v1/sessions/s1'), 204);
    expect((await ben.get('/api/v1/sessions')).status).toBe(200);
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
    see('POST /login/proxmox/{cluster}', await ask(steps[3] as Step), 504);
    clock.advance(11 * 60_000);
    see('GET /consoles', await anna.get('/api/v1/consoles'), 504);
  });

  test('was seen in these tests', () => {
    const named = api.operations.flatMap((name) => api.statusesOf(name).map((status) => `${name} ${status}`));
    const met = [...seen].flatMap(([name, statuses]) => [...statuses].map((status) => `${name} ${status}`));
    expect(named.filter((one) => !met.includes(one))).toEqual([]);
  });
});
