import { gzipSync } from 'node:zlib';
import { connect } from 'node:net';
import { createBroker } from '@porthole/broker/broker';
import { systemClock } from '@porthole/shared/time/clock';
import { ConfigError } from '@porthole/shared/config/read';
import { errorKinds, type ErrorCode } from '@porthole/shared/errors';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import {
  aCluster,
  aConfig,
  closeBrokers,
  password,
  startBroker,
  type Answer,
  type Asking,
  type RigOptions,
} from './rig.ts';

afterEach(closeBrokers);

const sameOrigin = { 'sec-fetch-site': 'same-origin' };
const login: Asking = { method: 'POST', headers: sameOrigin, body: { username: 'anna', password } };

/** All errors have the same shape. */
function expectProblem(answer: Answer, code: ErrorCode): void {
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.headers['cache-control']).toBe('no-store');
  const { detail, ...rest } = answer.json;
  expect(rest).toEqual({
    type: `urn:porthole:error:${code}`,
    title: errorKinds[code].text,
    status: errorKinds[code].status,
    code,
    requestId: answer.headers['x-request-id'],
  });
  expect(answer.status).toBe(errorKinds[code].status);
  expect(typeof detail).toBe(code === 'bad_request' ? 'string' : 'undefined');
}

test.each<[string, string, Asking, ErrorCode]>([
  ['an unknown path', '/api/v1/nothing', {}, 'not_found'],
  ['a path of another version', '/api/v2/me', {}, 'not_found'],
  ['a path in upper case', '/API/v1/me', {}, 'not_found'],
  ['the path of the API itself', '/api', {}, 'not_found'],
  ['a slash at the end', '/api/v1/me/', {}, 'not_found'],
  ['another method', '/api/v1/me', { method: 'POST', headers: sameOrigin }, 'method_not_allowed'],
  ['an unknown method', '/api/v1/me', { method: 'PROPFIND', headers: sameOrigin }, 'method_not_allowed'],
  ['a POST to a page', '/', { method: 'POST', headers: sameOrigin }, 'method_not_allowed'],
  ['no sign-in', '/api/v1/me', {}, 'not_signed_in'],
  ['a body that is not JSON', '/api/v1/login', { ...login, raw: '{"username":' }, 'bad_request'],
  ['a body that is not an object', '/api/v1/login', { ...login, raw: '"text"' }, 'bad_request'],
  ['a missing body', '/api/v1/login', { method: 'POST', headers: sameOrigin }, 'bad_request'],
  [
    'a body that is too large',
    '/api/v1/login',
    { ...login, raw: `"${'x'.repeat(17_000)}"` },
    'body_too_large',
  ],
  [
    'a form',
    '/api/v1/login',
    { ...login, headers: { ...sameOrigin, 'content-type': 'application/x-www-form-urlencoded' }, raw: 'a=b' },
    'wrong_media_type',
  ],
  [
    'JSON that claims to be text, as a form can send it',
    '/api/v1/login',
    { ...login, headers: { ...sameOrigin, 'content-type': 'text/plain' } },
    'wrong_media_type',
  ],
])('%s gets a problem response', async (_what, path, asking, code) => {
  const rig = await startBroker();
  const answer = await rig.ask(path, asking);
  if (path.startsWith('/API')) expect(answer.status).toBe(404);
  else expectProblem(answer, code);
});

test('a method that is not allowed gets an Allow header', async () => {
  const rig = await startBroker();
  const answer = await rig.ask('/api/v1/me', { method: 'DELETE', headers: sameOrigin });
  expectProblem(answer, 'method_not_allowed');
  expect(answer.headers.allow).toBe('HEAD, GET');
});

test('the size limit applies to the decompressed body', async () => {
  const rig = await startBroker();
  const raw = gzipSync(`{"username":"anna","password":"${'x'.repeat(1_000_000)}"}`);
  expect(raw.length).toBeLessThan(2000);
  const headers = { ...sameOrigin, 'content-encoding': 'gzip' };
  expectProblem(await rig.ask('/api/v1/login', { method: 'POST', headers, raw }), 'body_too_large');
});

test('an unexpected error is reported as internal, and its stack is logged', async () => {
  const store = createMemoryStore({ clock: systemClock });
  const rig = await startBroker({
    store: {
      ...store,
      records: { ...store.records, get: () => Promise.reject(new TypeError('secret inner words')) },
    },
  });
  const anna = await rig.signedIn('anna');
  const answer = await anna.get('/api/v1/me');
  expectProblem(answer, 'internal');
  expect(answer.text).not.toContain('inner words');
  const line = rig.log.find((text) => text.includes('unexpected error'));
  expect(line).toContain('secret inner words');
  expect(line).toContain('http.test.ts');
  expect(line).toContain(answer.json.requestId);
});

test('HEAD gets the same response as GET without the body', async () => {
  const rig = await startBroker();
  const anna = await rig.signedIn('anna');
  const answer = await rig.ask('/api/v1/me', { method: 'HEAD', headers: { cookie: anna.cookie ?? '' } });
  expect([answer.status, answer.text]).toEqual([200, '']);
});

test('a request ID from the client is ignored', async () => {
  const rig = await startBroker();
  const answer = await rig.ask('/api/v1/me', { headers: { 'x-request-id': 'forged' } });
  expect(answer.headers['x-request-id']).toMatch(/^[A-Za-z0-9_-]{12}$/);
});

describe('a state-changing request', () => {
  const from = (headers: Record<string, string>) => ({ ...login, headers });

  test.each<[string, Record<string, string>]>([
    ['our own pages', { 'sec-fetch-site': 'same-origin' }],
    ['our own pages in an old browser', { origin: 'http://localhost:8080' }],
  ])('is allowed from %s', async (_who, headers) => {
    const rig = await startBroker();
    expect((await rig.ask('/api/v1/login', from(headers))).status).toBe(200);
  });

  test.each<[string, Record<string, string>]>([
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    [
      'another site that claims our origin',
      { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:8080' },
    ],
    ['a neighbour under the same domain', { 'sec-fetch-site': 'same-site' }],
    ['the address bar', { 'sec-fetch-site': 'none' }],
    ['another origin in an old browser', { origin: 'http://localhost:8081' }],
    ['a page without an origin', { origin: 'null' }],
    ['somewhere unsaid', {}],
  ])('is rejected from %s', async (_who, headers) => {
    const rig = await startBroker();
    const answer = await rig.ask('/api/v1/login', from(headers));
    expectProblem(answer, 'cross_site');
    expect(answer.headers['set-cookie']).toBeUndefined();
  });
});

describe('client addresses behind proxies', () => {
  /** Returns how many sign-ins of one client succeed if it sends a new X-Forwarded-For each time. */
  async function spoofing(trustedProxies: number, forwarded: (i: number) => string): Promise<number[]> {
    const rig = await startBroker({ config: { trustedProxies, limits: { signInsPerAddressPerMinute: 2 } } });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) {
      const headers = { ...sameOrigin, 'x-forwarded-for': forwarded(i) };
      statuses.push((await rig.ask('/api/v1/login', { ...login, headers })).status);
    }
    return statuses;
  }

  test('X-Forwarded-For is ignored without proxies', async () => {
    expect(await spoofing(0, (i) => `203.0.113.${i}`)).toEqual([200, 200, 429, 429]);
  });

  test('entries before the one of the only proxy are ignored', async () => {
    expect(await spoofing(1, (i) => `203.0.113.${i}, 198.51.100.7`)).toEqual([200, 200, 429, 429]);
  });

  test('entries before those of two proxies are ignored', async () => {
    expect(await spoofing(2, (i) => `203.0.113.${i}, 198.51.100.7, 10.0.0.1`)).toEqual([200, 200, 429, 429]);
  });

  test('clients behind the proxy are distinguished', async () => {
    expect(await spoofing(1, (i) => `198.51.100.${i}`)).toEqual([200, 200, 200, 200]);
  });

  test('an IPv6 network counts as one address', async () => {
    expect(await spoofing(1, (i) => `2001:db8:1:2::${i}`)).toEqual([200, 200, 429, 429]);
    expect(await spoofing(1, (i) => `2001:db8:1:${i}::1`)).toEqual([200, 200, 200, 200]);
  });
});

describe('security headers', () => {
  const policyOf = (answer: Answer) =>
    Object.fromEntries(
      String(answer.headers['content-security-policy'])
        .split(';')
        .map((directive) => directive.trim().split(/ (.*)/s)),
    ) as Record<string, string>;

  test('let pages load from and connect to Porthole only', async () => {
    const rig = await startBroker({
      config: { publicUrl: 'https://porthole.school.example', relayUrl: 'wss://relay.school.example:8443' },
    });
    for (const path of ['/', '/console/school/101', '/nothing', '/api/v1/me']) {
      const answer = await rig.ask(path);
      expect(policyOf(answer)).toEqual({
        'default-src': "'self'",
        'script-src': "'self'",
        'style-src': "'self'",
        'img-src': "'self' data: blob:",
        'connect-src': "'self' wss://relay.school.example:8443",
        'object-src': "'none'",
        'base-uri': "'none'",
        'form-action': "'self'",
        'frame-ancestors': "'none'",
      });
      expect(answer.headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'x-frame-options': 'DENY',
        'strict-transport-security': 'max-age=31536000',
        'permissions-policy': expect.stringContaining(
          'clipboard-read=(self), clipboard-write=(self), fullscreen=(self)',
        ),
      });
      expect(answer.headers['x-powered-by']).toBeUndefined();
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  test('set no HSTS on localhost, and allow its own WebSocket', async () => {
    const rig = await startBroker();
    const answer = await rig.ask('/');
    expect(answer.headers['strict-transport-security']).toBeUndefined();
    expect(policyOf(answer)['connect-src']).toBe("'self' ws://localhost:8080");
  });
});

test('a malformed request line is rejected and does not affect the broker', async () => {
  const rig = await startBroker();
  const refused = await new Promise<string>((resolve) => {
    const socket = connect(rig.port, '127.0.0.1', () => socket.write('GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n'));
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString())).on('close', () => resolve(text));
  });
  expect(refused).toContain('400 Bad Request');
  expect((await rig.ask('/')).status).toBe(200);
});

test('the log contains no cookie, password, token, or query string', async () => {
  const fake = await aCluster();
  const rig = await startBroker({ proxmox: [{ name: 'school', fake }] });
  const anna = rig.browser();
  await anna.signIn('anna', 'a wrong guess');
  // A password in the name field, and a malformed body that the parser would quote.
  await anna.signIn('my-password-as-a-name', password);
  await anna.post('/api/v1/login', undefined, { 'content-type': 'application/json' });
  await rig.ask('/api/v1/login', { ...login, raw: `{"password":"${password}"` });
  await rig.ask('/api/v1/login', { ...login, raw: password });
  await anna.signIn('anna');
  const cookie = anna.cookie?.split('=')[1] ?? '';
  await anna.get('/api/v1/consoles?private=query');
  await anna.get('/console/school/101?mode=view');
  const grant = await anna.post('/api/v1/consoles/school/101/grants?secret=1', { mode: 'control' });
  fake.failRequests(/resources/, { body: 'nonsense' });
  await anna.post('/api/v1/consoles/school/101/grants', { mode: 'nonsense' });
  await anna.post('/api/v1/logout');
  const log = rig.log.join('') + JSON.stringify(rig.audited);
  const secrets = [
    cookie,
    password,
    'correct horse',
    'a wrong guess',
    'my-password-as-a-name',
    grant.json.protocols[1],
    grant.json.protocols[1].slice('porthole.grant.'.length),
    'private=',
    'secret=',
    'mode=view',
    'scrypt$',
    ...fake.issuedSecrets(),
  ];
  expect(log).toContain('"event":"sign_in"');
  expect(log).toContain('"event":"grant"');
  expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
});

test('each request logs one line with method, path, status, duration, and user', async () => {
  const rig = await startBroker();
  const anna = await rig.signedIn('anna');
  rig.log.length = 0;
  await anna.get('/api/v1/me?q=1');
  expect(rig.log.map((line) => JSON.parse(line))).toMatchObject([
    {
      msg: 'request',
      method: 'GET',
      path: '/api/v1/me',
      status: 200,
      user: 'local:anna',
      ms: expect.any(Number),
    },
  ]);
});

describe('a configuration is rejected if', () => {
  const start = (options: RigOptions) => () =>
    createBroker({
      config: aConfig(options),
      store: createMemoryStore({ clock: systemClock }),
      clock: systemClock,
      random: systemRandom,
      log: createLog({ service: 'test', level: 'silent' }),
      registry: createRegistry(),
      pagesDir: '/nowhere',
    });

  test.each<[string, RigOptions['config'], RegExp]>([
    [
      'passwords would be sent unencrypted',
      { publicUrl: 'http://porthole.school.example' },
      /publicUrl: use https/,
    ],
    ['the host only looks local', { publicUrl: 'http://127.0.0.1.evil.example' }, /publicUrl: use https/],
    [
      'browsers would block the relay',
      { publicUrl: 'https://school.example', relayUrl: 'ws://relay.school.example' },
      /relayUrl: use wss/,
    ],
    [
      'a rule names an unknown cluster',
      { access: [{ who: { everyone: true }, which: { clusters: ['scool'] }, allow: ['view'] }] },
      /access\.0\.which\.clusters: there is no cluster scool/,
    ],
    [
      'a range ends before it begins',
      { access: [{ who: { everyone: true }, which: { vmids: ['299-200'] }, allow: ['view'] }] },
      /access\.0\.which\.vmids: the range 299-200/,
    ],
    ['there are no keys', { grantKeys: undefined }, /grantKeys/],
  ])('%s', (_why, config, message) => {
    expect(start({ config: config ?? {} })).toThrow(ConfigError);
    expect(start({ config: config ?? {} })).toThrow(message);
  });

  test.each(['http://localhost:8080', 'http://127.0.0.1', 'http://[::1]:80', 'https://school.example'])(
    'but not with %s as the public URL',
    (publicUrl) => {
      expect(start({ config: { publicUrl } })).not.toThrow();
    },
  );
});
