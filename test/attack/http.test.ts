import { randomBytes } from 'node:crypto';
import { constantSecret } from '@porthole/shared/config/secret';
import { readOpenApi } from '../broker/openapi.ts';
import type { Browser } from '../broker/browser.ts';
import { aCluster, aUser, closeBrokers, startBroker, usersFile, type Rig } from '../broker/rig.ts';
import type { FakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';
import { sendRaw } from './raw-http.ts';
import { rounds } from './rounds.ts';
import { threat } from './threat-table.ts';

const publicUrl = 'http://localhost:8080';
let fake: FakeProxmox;
let rig: Rig;
let anna: Browser;
let ben: Browser;
beforeAll(async () => {
  fake = await aCluster();
  rig = await startBroker({
    proxmox: [{ name: 'lab', fake }],
    users: constantSecret(usersFile(aUser('anna'), aUser('ben'))),
    config: {
      access: [
        { who: { users: ['anna'] }, which: { vmids: [101] }, allow: ['control', 'power'] },
        { who: { users: ['ben'] }, which: { vmids: [102] }, allow: ['control'] },
      ],
      signIn: {
        local: { usersFile: constantSecret(usersFile(aUser('anna'), aUser('ben'))) },
        header: { from: ['10.0.0.0/8'] },
      },
      limits: { signInsPerMinute: 10_000, signInsPerAddressPerMinute: 10_000 },
    },
  });
  anna = await rig.signedIn('anna');
  ben = await rig.signedIn('ben');
});
afterAll(closeBrokers);
afterEach(async () => {
  expect((await anna.get('/api/v1/me')).json.user.name).toBe('anna');
  expect((await ben.get('/api/v1/me')).json.user.name).toBe('ben');
});

const meWith = async (cookie: string) => (await rig.ask('/api/v1/me', { headers: { cookie } })).status;
const valueOf = ({ cookie = '' }: Browser) => cookie.slice(cookie.indexOf('=') + 1);

describe(threat('H1'), () => {
  test('a cookie that is changed in any character is no sign-in', async () => {
    const value = valueOf(anna);
    for (let at = 0; at < value.length; at++) {
      const changed = value.slice(0, at) + (value[at] === 'B' ? 'Q' : 'B') + value.slice(at + 1);
      expect([at, await meWith(`porthole=${changed}`)]).toEqual([at, 401]);
    }
  });

  test('made-up cookies are no sign-ins', async () => {
    const value = valueOf(anna);
    const cookies = [
      `porthole=`,
      `porthole=${value.slice(1)}`,
      `porthole=${value}A`,
      `porthole="${value}"`,
      `porthole=${encodeURIComponent(value)}%00`,
      `Porthole=${value}`,
      `__Host-porthole=${value}`,
      `porthole[]=${value}`,
      ` porthole =${value}`,
      `xporthole=${value}`,
      `a=b, porthole=${value}`,
      `porthole=${valueOf(ben)}; porthole=${value}`,
      `porthole=${value}; porthole=${value}`,
      ...Array.from({ length: rounds(30) }, () => `porthole=${randomBytes(32).toString('base64url')}`),
    ];
    for (const cookie of cookies) expect([cookie, await meWith(cookie)]).toEqual([cookie, 401]);
  });

  test('a planted cookie does not become the sign-in of the victim', async () => {
    const planted = [
      `porthole=${randomBytes(32).toString('base64url')}`,
      (await rig.signedIn('ben')).cookie ?? '',
    ];
    for (const cookie of planted) {
      const victim = rig.browser();
      victim.cookie = cookie;
      await victim.signIn('anna');
      expect(victim.cookie).not.toBe(cookie);
      expect((await victim.get('/api/v1/me')).json.user.name).toBe('anna');
      // The attacker who knows the planted value has no sign-in.
      expect(await meWith(cookie)).toBe(401);
    }
  });

  test('a user ends no sign-in and no session of another user', async () => {
    const { json } = await anna.get('/api/v1/me/logins');
    for (const { id } of json.logins)
      expect((await ben.delete(`/api/v1/me/logins/${id}`)).status).toBeGreaterThanOrEqual(400);
    expect((await ben.delete('/api/v1/logins?user=local:anna')).status).toBeGreaterThanOrEqual(400);
    expect((await ben.delete('/api/v1/sessions?user=local:anna')).json).toEqual({ ended: 0 });
  });

  test('a cookie is worth nothing after sign-out', async () => {
    const browser = await rig.signedIn('anna');
    const cookie = browser.cookie ?? '';
    await browser.post('/api/v1/logout');
    expect(await meWith(cookie)).toBe(401);
  });
});

describe(threat('H2'), () => {
  const changing = readOpenApi()
    .operations.map((operation) => operation.split(' ') as [string, string])
    // The provider's own request: it reads no cookie.
    .filter(([method, path]) => method !== 'GET' && path !== '/login/oidc/{issuer}/logout');
  const foreign: Readonly<Record<string, string>>[] = [
    {},
    { origin: 'null' },
    { origin: 'https://evil.example' },
    { origin: `${publicUrl}.evil.example` },
    { origin: `${publicUrl}/` },
    { origin: 'http://LOCALHOST:8080' },
    { origin: publicUrl, 'sec-fetch-site': 'cross-site' },
    { origin: publicUrl, 'sec-fetch-site': 'same-site' },
    { origin: publicUrl, 'sec-fetch-site': 'none' },
    { origin: publicUrl, 'sec-fetch-site': 'Same-Origin' },
    { origin: publicUrl, 'sec-fetch-site': 'same-origin, cross-site' },
    { referer: `${publicUrl}/` },
    { origin: 'https://evil.example', referer: `${publicUrl}/`, host: 'localhost:8080' },
    { origin: 'http://evil.example', host: 'evil.example', 'x-forwarded-host': 'localhost:8080' },
    { 'x-requested-with': 'XMLHttpRequest' },
  ];

  test('there are requests that change something', () => expect(changing.length).toBeGreaterThan(8));

  test.each(changing)('%s %s is refused from anywhere else', async (method, path) => {
    const target = `/api/v1${path}`
      .replace('{cluster}', 'lab')
      .replace('{vmid}', '101')
      .replace('{issuer}', 'school')
      .replace('{id}', 'x');
    const before = fake.calls.length;
    const types = [
      'application/json',
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
    ];
    for (const headers of foreign)
      for (const type of types) {
        const answer = await rig.ask(target, {
          method,
          headers: { ...headers, 'content-type': type, cookie: anna.cookie ?? '' },
          raw: '{"mode":"control","action":"stop","username":"anna","password":"x"}',
        });
        expect([headers, answer.status, answer.json.code]).toEqual([headers, 403, 'cross_site']);
        expect(answer.headers['set-cookie']).toBeUndefined();
      }
    expect(fake.calls.slice(before).filter((call) => call.method !== 'GET')).toEqual([]);
  });

  test('a request that only reads changes nothing, whatever it says that it is', async () => {
    for (const headers of [{ 'x-http-method-override': 'POST' }, { 'x-method-override': 'DELETE' }, {}])
      for (const path of [
        '/api/v1/logout',
        '/api/v1/sessions?_method=DELETE',
        '/api/v1/me/logins?_method=DELETE',
      ])
        for (const method of ['GET', 'HEAD', 'OPTIONS']) {
          const answer = await rig.ask(path, { method, headers: { ...headers, cookie: anna.cookie ?? '' } });
          expect(answer.headers['access-control-allow-origin']).toBeUndefined();
        }
  });
});

describe(threat('H3'), () => {
  const identity = ['x-forwarded-user', 'x-forwarded-preferred-username', 'x-forwarded-groups'] as const;
  const answerTo = (headers: Readonly<Record<string, string>>) => rig.ask('/api/v1/me', { headers });

  test('an identity header from elsewhere is refused, also beside a valid sign-in', async () => {
    for (const claim of ['anna', 'local:anna', 'anna, ben', ' anna', 'ann\u00e4'])
      for (const more of [
        {},
        { 'x-forwarded-for': '10.0.0.1' },
        { 'x-real-ip': '10.0.0.1', forwarded: 'for=10.0.0.1' },
      ]) {
        const headers = { ...more, [identity[0]]: claim };
        expect((await answerTo(headers)).json.code).toBe('identity_header_untrusted');
        const beside = await answerTo({ ...headers, cookie: ben.cookie ?? '' });
        expect(beside.json.code).toBe('identity_header_untrusted');
      }
  });

  test('headers of similar names are no identity headers', async () => {
    for (const name of [
      'x_forwarded_user',
      'x-forwarded-user-',
      'remote-user',
      'x-remote-user',
      'x-auth-request-user',
    ])
      expect((await answerTo({ [name]: 'anna' })).json.code).toBe('not_signed_in');
    expect((await answerTo({ [identity[1]]: 'anna', [identity[2]]: 'admins' })).json.code).toBe(
      'not_signed_in',
    );
  });

  test('forwarding headers change no address, no link and no cookie', async () => {
    const headers = {
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-prefix': '/evil',
      'x-original-url': '/api/v1/sessions',
      'x-rewrite-url': '/api/v1/sessions',
      forwarded: 'for=203.0.113.9;host=evil.example;proto=https',
    };
    const browser = rig.browser();
    const login = await browser.post(
      '/api/v1/login',
      { username: 'anna', password: 'correct horse battery staple' },
      headers,
    );
    expect(login.headers['set-cookie']?.join()).toMatch(/^porthole=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/);
    const logins = await browser.get('/api/v1/me/logins', headers);
    expect(logins.text).not.toContain('203.0.113.9');
    const grant = await browser.post('/api/v1/consoles/lab/101/grants', { mode: 'control' }, headers);
    expect(grant.json.url).toBe('ws://localhost:8080/relay/v1/console');
    expect(grant.text).not.toMatch(/evil/);
  });
});

describe(threat('H4'), () => {
  test.each([
    'lab/102',
    'lab/0101',
    'lab/101.0',
    'lab/1e2',
    'lab/0x65',
    'lab/+101',
    'lab/%3101/..%2f102',
    'lab/101%2f..%2f102',
    'lab/101%00',
    'lab/101%20',
    'lab/101;vmid=102',
    'lab/%EF%BC%91%EF%BC%90%EF%BC%91',
    'lab%2f..%2flab/102',
    '../consoles/lab/102',
    './lab/102',
    'LAB/101',
    'lab%00/101',
    '__proto__/101',
    'constructor/101',
    'lab/999999999999',
    'lab/-101',
  ])('a path to %s reaches no machine beyond the rules', async (path) => {
    const before = fake.calls.length;
    for (const target of [`/api/v1/consoles/${path}/grants`, `/api/v1/consoles/${path}/power`]) {
      const answer = await anna.post(target, { mode: 'control', action: 'stop' });
      expect([target, answer.status >= 400 && answer.status < 500]).toEqual([target, true]);
      expect(answer.text).not.toMatch(/lab-ben|porthole\.grant/);
    }
    const calls = fake.calls.slice(before).filter((call) => !/^\/(cluster|access|version)/.test(call.path));
    expect(calls).toEqual([]);
  });

  test('a second request is not smuggled behind the first', async () => {
    const smuggled = 'GET /api/v1/me HTTP/1.1\r\nHost: localhost:8080\r\nX: y\r\n\r\n';
    const attempts: string[][] = [
      ['Content-Length: 5', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
      ['Transfer-Encoding: chunked, identity'],
      ['Transfer-Encoding:\vchunked'],
      ['Transfer-Encoding : chunked'],
      ['Content-Length: +5'],
      ['Content-Length: 0x5'],
      ['Content-Length: 5', 'Content-Length: 0'],
      ['X: y\nContent-Length: 5'],
      ['X: y\rContent-Length: 5'],
    ];
    for (const headers of attempts) {
      const lines = ['POST /api/v1/logout HTTP/1.1', 'Host: localhost:8080', 'Connection: close', ...headers];
      const answer = (await sendRaw(rig.port, lines, { body: `0\r\n\r\n${smuggled}` })).toString();
      expect([headers, answer.match(/HTTP\/1\.1 /g)?.length]).toEqual([headers, 1]);
      expect([headers, answer.slice(0, 12)]).toEqual([headers, 'HTTP/1.1 400']);
    }
  });
});
