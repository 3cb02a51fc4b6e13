import { closeBrokers, startBroker } from './rig.ts';

afterEach(closeBrokers);

const portal = 'https://portal.example';
const allowing = { config: { allowedOrigins: [`${portal}/`] } };
const preflight = (origin: string, method = 'POST') => ({
  method: 'OPTIONS',
  headers: {
    origin,
    'access-control-request-method': method,
    'access-control-request-headers': 'authorization,content-type',
  },
});
const shared = (headers: Readonly<Record<string, unknown>>) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));

describe('requests from pages of other sites', () => {
  test.each([portal, 'null', 'http://localhost:8080'])(
    'get no CORS headers by default, from %s',
    async (origin) => {
      const rig = await startBroker();
      for (const asking of [preflight(origin), { headers: { origin } }])
        expect(shared((await rig.ask('/api/v1/login', asking)).headers)).toEqual([]);
    },
  );

  test('are allowed with a token for the configured origins, and never with a cookie', async () => {
    const rig = await startBroker(allowing);
    const answer = await rig.ask('/api/v1/consoles/school/101/grants', preflight(portal));
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': portal,
      'access-control-allow-methods': 'GET,POST,DELETE',
      'access-control-allow-headers': 'authorization,content-type',
      'access-control-max-age': '600',
    });
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    expect(answer.headers.vary).toMatch(/origin/i);
  });

  test('can read the reason of an error', async () => {
    const rig = await startBroker(allowing);
    const answer = await rig.ask('/api/v1/me', { headers: { origin: portal, authorization: 'Bearer none' } });
    expect(answer.status).toBe(401);
    expect(answer.headers['access-control-allow-origin']).toBe(portal);
    expect(answer.headers['access-control-expose-headers']).toBe('x-request-id,retry-after');
  });

  test.each([
    'https://evil.example',
    'https://portal.example.evil.example',
    'https://sub.portal.example',
    'http://portal.example',
    'https://portal.example:8443',
    'https://portal.example.',
    'null',
  ])('are not allowed from a similar origin: %s', async (origin) => {
    const rig = await startBroker(allowing);
    for (const asking of [preflight(origin), { headers: { origin } }])
      expect(shared((await rig.ask('/api/v1/login', asking)).headers)).toEqual([]);
  });

  test('change nothing by the user’s cookie, even from a configured origin', async () => {
    const rig = await startBroker(allowing);
    const anna = await rig.signedIn('anna');
    const answer = await anna.post('/api/v1/logout', undefined, {
      origin: portal,
      'sec-fetch-site': 'cross-site',
    });
    expect(answer).toMatchObject({ status: 403, json: { code: 'cross_site' } });
    expect((await anna.get('/api/v1/me')).status).toBe(200);
  });

  test('get no CORS headers for pages', async () => {
    const rig = await startBroker(allowing);
    expect(shared((await rig.ask('/', { headers: { origin: portal } })).headers)).toEqual([]);
  });
});
