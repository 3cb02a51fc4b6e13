import { createRoutes, type RouteDeps } from '@porthole/broker/routes';
import { createEmbedTokens } from '@porthole/broker/sign-in/embed-tokens';
import { PortholeError } from '@porthole/shared/errors';
import { constantSecret } from '@porthole/shared/config/secret';
import { createSessionRecords } from '@porthole/shared/session/records';
import { grantKeysOf } from '@porthole/shared/config/read';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { leaseNames } from '@porthole/shared/store/keys';
import { createFakeClock } from '../fakes/clock.ts';
import { createFakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';
import { startIssuer } from '../fakes/oidc/issuer.ts';
import { readOpenApi } from './openapi.ts';
import {
  aUser,
  brokerToken,
  closeBrokers,
  grantKey,
  someGuests,
  startBroker,
  usersFile,
  type Answer,
  type Asking,
} from './rig.ts';

const api = readOpenApi();
const ours = { 'sec-fetch-site': 'same-origin' };
const school = { cluster: 'school', realms: [{ name: 'pve' }] };

test('the file names every route of the broker, and no other', () => {
  const deps = {
    sessions: {},
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

  let away: { store: boolean; limited: boolean };
  let walk: Awaited<ReturnType<typeof start>>;

  async function start() {
    away = { store: false, limited: false };
    const clock = createFakeClock(Date.now());
    const memory = createMemoryStore({ clock });
    const sometimes = <T extends object>(part: T): T =>
      new Proxy(part, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name);
          if (typeof value !== 'function' || !away.store) return value;
          return () => Promise.reject(new PortholeError('store_unavailable'));
        },
      });
    const store = {
      ...memory,
      records: sometimes(memory.records),
      leases: sometimes(memory.leases),
      rateLimits: {
        ...memory.rateLimits,
        spend: (key: string, points: number, seconds: number) =>
          away.limited
            ? Promise.reject(new PortholeError('rate_limited', { retryAfter: 1 }))
            : memory.rateLimits.spend(key, points, seconds),
      },
    };
    const fake = await createFakeProxmox({
      unauthorizedDelayMs: 0,
      statusRefreshMs: 0,
      users: [
        {
          userid: 'porthole@pve',
          password: 'x',
          acl: { '/': ['VM.Audit', 'VM.Console', 'VM.PowerMgmt', 'Pool.Audit'] },
        },
        {
          userid: 'carl@pve',
          password: 'pw of carl',
          totp: '123456',
          acl: { '/': ['VM.Console', 'VM.Audit'] },
        },
        { userid: 'anna@pve', password: 'pw of anna', acl: { '/': ['VM.Console', 'VM.Audit'] } },
      ],
      tokens: [{ ...brokerToken, privsep: false }],
      guests: someGuests,
    });
    const issuer = await startIssuer({
      accounts: [{ sub: 'anna-1', claims: {} }],
      redirectUris: ['http://localhost:8080/x'],
    });
    const rig = await startBroker({
      clock,
      store,
      proxmox: [{ name: 'school', fake }],
      config: {
        access: [
          {
            who: { users: ['anna'] },
            which: { all: true },
            allow: ['control', 'power', 'end', 'explain', 'audit'],
          },
          { who: { users: ['ben'] }, which: { vmids: [101] }, allow: ['view'] },
        ],
        classes: [
          {
            name: 'lab',
            members: { users: ['ben'] },
            instructors: { users: ['anna'] },
            machines: { tags: ['lab'] },
            own: ['*'],
          },
        ],
        signIn: {
          local: { usersFile: constantSecret(usersFile(aUser('anna'), aUser('ben'))) },
          proxmox: [school],
          oidc: [
            {
              name: 'school',
              issuer: issuer.url,
              clientId: issuer.clientId,
              clientSecret: constantSecret(issuer.clientSecret),
            },
          ],
          header: { from: ['10.0.0.0/8'], signOutUrl: 'https://proxy.example/out' },
        },
      },
    });
    const anna = await rig.signedIn('anna');
    const ben = await rig.signedIn('ben');
    return { clock, store, fake, issuer, rig, anna, ben };
  }

  beforeAll(async () => {
    walk = await start();
  });
  afterAll(async () => {
    await closeBrokers();
    await walk.fake.close();
    await walk.issuer.stop();
  });

  interface Step {
    readonly name: string;
    readonly path: string;
    readonly body?: unknown;
    /** No cookie needed. */
    readonly open?: true;
  }
  const method = ({ name }: Step) => name.split(' ')[0] ?? '';
  const grant = '/consoles/school/101/grants';
  const power = '/consoles/school/110/power';
  const explained = '/access/explain?user=ben&cluster=school&vmid=101';
  const steps: readonly Step[] = [
    { name: 'GET /login', path: '/login', open: true },
    { name: 'POST /login', path: '/login', body: { username: 'nobody', password: 'x' }, open: true },
    { name: 'POST /login/oidc/{issuer}/logout', path: '/login/oidc/school/logout', open: true },
    {
      name: 'POST /login/proxmox/{cluster}',
      path: '/login/proxmox/school',
      body: { realm: 'pve', username: 'x', password: 'x' },
      open: true,
    },
    {
      name: 'POST /login/proxmox/{cluster}/code',
      path: '/login/proxmox/school/code',
      body: { id: 'x', factor: 'totp', code: '1' },
      open: true,
    },
    { name: 'POST /logout', path: '/logout', open: true },
    { name: 'DELETE /logins', path: '/logins?user=nobody' },
    { name: 'POST /embed-tokens', path: '/embed-tokens', body: { code: 'x'.repeat(43) }, open: true },
    { name: 'GET /me', path: '/me' },
    { name: 'GET /me/logins', path: '/me/logins' },
    { name: 'DELETE /me/logins/{id}', path: '/me/logins/none' },
    { name: 'GET /consoles', path: '/consoles' },
    { name: 'POST /consoles/{cluster}/{vmid}/grants', path: grant, body: { mode: 'view' } },
    { name: 'POST /consoles/{cluster}/{vmid}/power', path: power, body: { action: 'start' } },
    { name: 'GET /consoles/{cluster}/{vmid}/power/{task}', path: `${power}/none` },
    { name: 'GET /access/explain', path: explained },
    { name: 'GET /audit', path: '/audit' },
    { name: 'GET /sessions', path: '/sessions' },
    { name: 'DELETE /sessions', path: '/sessions?user=nobody' },
    { name: 'DELETE /sessions/{id}', path: '/sessions/none' },
  ];
  const documented = (step: Step, status: number) => api.statusesOf(step.name).includes(String(status));
  const ask = (step: Step, asking: Asking = {}): Promise<Answer> =>
    walk.rig.ask(`/api/v1${step.path}`, {
      method: method(step),
      ...(step.body === undefined ? {} : { body: step.body }),
      ...asking,
      headers: { ...ours, ...(step.open ? {} : { cookie: walk.anna.cookie ?? '' }), ...asking.headers },
    });
  const bodied = steps.filter(({ body }) => body !== undefined);
  const changing = steps.filter((step) => method(step) !== 'GET');

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
    away.limited = true;
    see(step.name, await ask(step), 429);
    away.limited = false;
  });

  test.each(steps.filter((step) => documented(step, 503)))(
    '503: $name while the store is away',
    async (step) => {
      away.store = true;
      const right = { body: { username: 'anna', password: 'correct horse battery staple' } };
      see(step.name, await ask(step, step.name === 'POST /login' ? right : {}), 503);
      away.store = false;
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
    const keys = grantKeysOf(constantSecret(grantKey));
    const records = createSessionRecords({ ...store, keys, random: systemRandom });
    for (const [sessionId, name] of [
      ['s1', 'ben'],
      ['s2', 'anna'],
    ] as const) {
      await records.claim({
        version: 1,
        sessionId,
        connection: 'c',
        relay: 'relay-1',
        loginRef: 'l',
        user: { id: `local:${name}`, name },
        cluster: 'school',
        node: 'pve1',
        type: 'qemu',
        vmid: 101,
        machineName: 'lab-anna',
        mode: 'control',
        kind: 'screen',
        since: Date.UTC(2026, 0, 1),
        bytes: { toViewer: 1, toMachine: 1 },
      });
      await store.leases.join(leaseNames.allSessions, sessionId, Number.MAX_SAFE_INTEGER, 90_000);
    }
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
