import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectTokenReview } from '@porthole/broker/kubernetes/client';
import { createServiceAccountVerifier } from '@porthole/broker/sign-in/programs/service-account-verifier';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWTPayload } from 'jose';
import { createFakeClock } from '../../fakes/clock.ts';
import { startFakeKubernetes } from '../../fakes/kubernetes/api-server.ts';
import { aCluster, closeBrokers, startBroker, type Rig } from '../rig.ts';

/** A token issuer with a discovery document and keys. */
async function startKeys(): Promise<{
  url: string;
  privateKey: CryptoKey;
  server: Server;
  requests: string[];
}> {
  const requests: string[] = [];
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }];
  const server = createServer((request, response) => {
    const url = `http://${request.headers.host}`;
    requests.push(request.url ?? '');
    const body = request.url === '/jwks' ? { keys } : { issuer: url, jwks_uri: `${url}/jwks` };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, privateKey, server, requests };
}

describe('requests of programs', () => {
  let keys: Awaited<ReturnType<typeof startKeys>>;
  let rig: Rig;

  beforeEach(async () => {
    keys = await startKeys();
    rig = await startBroker({
      proxmox: [{ name: 'proxmox', fake: await aCluster() }],
      config: {
        access: [
          { who: { groups: ['class-a'] }, which: { names: ['lab-{user}'] }, allow: ['control'] },
          { who: { programs: ['portal'] }, which: { vmids: [101] }, allow: ['view'] },
        ],
        signIn: {
          header: { from: ['10.0.0.0/8'] },
          programs: [
            {
              name: 'labs',
              issuer: keys.url,
              audience: 'porthole',
              algorithms: ['ES256'],
              subjects: ['portal', 'other'],
              impersonation: { users: ['a*'], groups: ['class-a'] },
            },
          ],
        },
      },
    });
  });
  afterEach(async () => {
    await closeBrokers();
    keys.server.close();
    keys.server.closeAllConnections();
  });

  const now = () => Math.floor(Date.now() / 1000);
  const claims = (extra: JWTPayload = {}) => ({
    iss: keys.url,
    aud: 'porthole',
    sub: 'portal',
    exp: now() + 60,
    ...extra,
  });
  const sign = (payload: JWTPayload = claims(), key = keys.privateKey, header: object = {}) =>
    new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header }).sign(key);
  const ask = async (body: object, token: string | undefined, headers: object = {}) =>
    rig.ask('/api/v1/consoles/proxmox/101/grants', {
      method: 'POST',
      body,
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
    });
  const forAnna = { mode: 'control', onBehalfOf: { id: '4711', name: 'anna', groups: ['class-a'] } };

  it('get a console and its page URL on behalf of an allowed user', async () => {
    const answer = await ask(forAnna, await sign());
    expect(answer.status).toBe(201);
    expect(answer.json.page).toMatch(
      /^http:\/\/localhost:8080\/console\/proxmox\/101#code=[A-Za-z0-9_-]{43}$/,
    );
    expect(answer.json.protocols[1]).toMatch(/^porthole\.grant\./);
  });

  it("get the program's own rights without `onBehalfOf`", async () => {
    expect((await ask({ mode: 'view' }, await sign())).status).toBe(201);
    expect((await ask({ mode: 'control' }, await sign())).json.code).toBe('not_allowed');
  });

  it.each([
    ['a user whose name does not match', { id: '1', name: 'ben', groups: ['class-a'] }],
    ['a group that is not configured', { id: '1', name: 'anna', groups: ['class-a', 'admins'] }],
  ])('are denied for %s', async (_what, onBehalfOf) => {
    const answer = await ask({ mode: 'control', onBehalfOf }, await sign());
    expect([answer.status, answer.json.code]).toEqual([403, 'impersonation_not_allowed']);
  });

  it('give users only the rights of the access rules', async () => {
    const answer = await ask(
      { mode: 'control', onBehalfOf: { id: '1', name: 'anton', groups: ['class-a'] } },
      await sign(),
    );
    expect(answer.json.code).toBe('machine_not_found');
  });

  it.each([
    ['for another audience', () => sign(claims({ aud: 'another-service' }))],
    ['without an audience', () => sign({ ...claims(), aud: undefined } as unknown as JWTPayload)],
    ['of another issuer', () => sign(claims({ iss: 'https://evil.example' }))],
    ['that has expired', () => sign(claims({ exp: now() - 120 }))],
    ['that never expires', () => sign({ ...claims(), exp: undefined } as unknown as JWTPayload)],
    ['that is not valid yet', () => sign(claims({ nbf: now() + 600 }))],
    ['of a subject that is not configured', () => sign(claims({ sub: 'stranger' }))],
    ['without a subject', () => sign({ ...claims(), sub: undefined } as unknown as JWTPayload)],
    ['without a signature', async () => new UnsecuredJWT(claims()).encode()],
    ['with a foreign signature', async () => sign(claims(), (await generateKeyPair('ES256')).privateKey)],
    [
      'signed with the public key as a secret',
      async () =>
        new SignJWT(claims())
          .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
          .sign(new TextEncoder().encode('the public key')),
    ],
    [
      'signed with an algorithm that is not allowed',
      async () =>
        new SignJWT(claims())
          .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
          .sign((await generateKeyPair('RS256')).privateKey),
    ],
    ['that is malformed', async () => 'x.y.z'],
    ['of 10 KB', async () => 'a'.repeat(10_000)],
  ])('are rejected with a token %s', async (_what, token) => {
    const answer = await ask(forAnna, await token());
    expect([answer.status, answer.json.code]).toEqual([401, 'token_invalid']);
    expect(answer.text).not.toContain('eyJ');
    expect(rig.log.join('')).not.toContain('eyJ');
  });

  it('cause key requests to the configured issuer only, whatever issuer and keys a token names', async () => {
    const evil = await startKeys();
    try {
      const header = { jku: `${evil.url}/jwks`, jwk: await exportJWK(evil.privateKey) };
      const tokens = [
        await sign(claims({ iss: evil.url }), evil.privateKey),
        await sign(claims(), evil.privateKey, header),
        await sign(claims(), evil.privateKey, { ...header, kid: 'k2' }),
        await sign(claims(), evil.privateKey, { ...header, kid: 'k3' }),
      ];
      for (const token of tokens) expect((await ask(forAnna, token)).json.code).toBe('token_invalid');
      expect(evil.requests).toEqual([]);
      // An unknown key ID fetches the keys again at most every 30 seconds.
      expect(keys.requests).toEqual(['/.well-known/openid-configuration', '/jwks']);
      expect((await ask(forAnna, await sign())).status).toBe(201);
    } finally {
      evil.server.close();
      evil.server.closeAllConnections();
    }
  });

  it("can't act for users without a token", async () => {
    expect((await ask(forAnna, undefined, { 'sec-fetch-site': 'same-origin' })).status).toBe(401);
    expect((await ask(forAnna, undefined)).json.code).toBe('cross_site');
  });

  describe('for a page that they embed', () => {
    const post = (path: string, body: object, pass?: string) =>
      rig.ask(path, {
        method: 'POST',
        body,
        headers: { 'sec-fetch-site': 'same-origin', ...(pass ? { 'x-porthole-embed-token': pass } : {}) },
      });
    async function passOf(wish: object = forAnna): Promise<{ code: string; pass: string }> {
      const { page } = (await ask(wish, await sign())).json as { page: string };
      const code = new URL(page).hash.replace('#code=', '');
      const answer = await post('/api/v1/embed-tokens', { code });
      return { code, pass: answer.json.token as string };
    }

    it('return a code that works once, for a token that opens the console repeatedly', async () => {
      const { code, pass } = await passOf();
      expect((await post('/api/v1/embed-tokens', { code })).json.code).toBe('embed_token_invalid');
      for (let time = 0; time < 3; time += 1) {
        const answer = await post('/api/v1/consoles/proxmox/101/grants', { mode: 'control' }, pass);
        expect(answer.status).toBe(201);
        expect(answer.json.page).not.toContain('code=');
      }
    });

    it('return a token for only that console and mode', async () => {
      const { pass } = await passOf({ ...forAnna, mode: 'view' });
      expect((await post('/api/v1/consoles/proxmox/101/grants', { mode: 'view' }, pass)).status).toBe(201);
      expect((await post('/api/v1/consoles/proxmox/101/grants', { mode: 'control' }, pass)).status).toBe(403);
      expect((await post('/api/v1/consoles/proxmox/102/grants', { mode: 'view' }, pass)).status).toBe(403);
      const act = { mode: 'view', onBehalfOf: { id: '2', name: 'adam' } };
      expect((await post('/api/v1/consoles/proxmox/101/grants', act, pass)).status).toBe(403);
      expect((await post('/api/v1/me', {}, pass)).status).not.toBe(200);
    });

    it('return a token that lists only its own machine', async () => {
      const { pass } = await passOf();
      const list = await rig.ask('/api/v1/consoles', { headers: { 'x-porthole-embed-token': pass } });
      expect(list.json.consoles.map(({ vmid }: { vmid: number }) => vmid)).toEqual([101]);
    });

    it.each(['', 'x', 'A'.repeat(43)])('do not make unknown tokens valid: %p', async (pass) => {
      const answer = await post('/api/v1/embed-tokens', { code: pass });
      expect(answer.json.code).toBe('embed_token_invalid');
      const grant = await rig.ask('/api/v1/consoles/proxmox/101/grants', {
        method: 'POST',
        body: { mode: 'view' },
        headers: { 'sec-fetch-site': 'same-origin', 'x-porthole-embed-token': pass || 'none' },
      });
      expect(grant.json.code).toBe('embed_token_invalid');
    });
  });
});

describe('tokens of Kubernetes service accounts', () => {
  const clock = createFakeClock();
  let kubernetes: Awaited<ReturnType<typeof startFakeKubernetes>>;
  beforeEach(async () => {
    kubernetes = await startFakeKubernetes();
  });
  afterEach(() => kubernetes.stop());

  async function check() {
    const review = await connectTokenReview((config) =>
      config.loadFromOptions({
        clusters: [{ name: 'c', server: kubernetes.url, skipTLSVerify: true }],
        users: [{ name: 'u', token: 't' }],
        contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
        currentContext: 'x',
      }),
    );
    return createServiceAccountVerifier({
      config: { audience: 'porthole', allow: ['labs:grader'], impersonation: undefined },
      review,
      clock,
    });
  }
  const tokenOf = (account: string) => new UnsecuredJWT({ sub: `system:serviceaccount:${account}` }).encode();

  it('are reviewed by Kubernetes once a minute', async () => {
    const owner = await check();
    const token = tokenOf('labs:grader');
    kubernetes.knowToken(token, { username: 'system:serviceaccount:labs:grader', audiences: ['porthole'] });
    for (let time = 0; time < 5; time += 1)
      expect(await owner(token)).toMatchObject({ id: 'serviceaccount:labs:grader', name: 'labs:grader' });
    const reviews = () => kubernetes.requests.filter((line) => line.includes('tokenreviews')).length;
    expect(reviews()).toBe(1);
    clock.advance(61_000);
    kubernetes.forgetTokens();
    await expect(owner(token)).rejects.toMatchObject({ code: 'token_invalid' });
    expect(reviews()).toBe(2);
  });

  it('are rejected for another audience or an account that is not allowed', async () => {
    const owner = await check();
    const [foreign, stranger] = [tokenOf('labs:grader'), tokenOf('labs:stranger')];
    kubernetes.knowToken(foreign, { username: 'system:serviceaccount:labs:grader', audiences: ['vault'] });
    kubernetes.knowToken(stranger, {
      username: 'system:serviceaccount:labs:stranger',
      audiences: ['porthole'],
    });
    for (const token of [foreign, stranger])
      await expect(owner(token)).rejects.toMatchObject({ code: 'token_invalid' });
  });

  it('are reviewed each time while Kubernetes rejects them', async () => {
    const owner = await check();
    const token = tokenOf('labs:grader');
    for (let time = 0; time < 3; time += 1)
      await expect(owner(token)).rejects.toMatchObject({ code: 'token_invalid' });
    expect(kubernetes.requests.filter((line) => line.includes('tokenreviews'))).toHaveLength(3);
    kubernetes.knowToken(token, { username: 'system:serviceaccount:labs:grader', audiences: ['porthole'] });
    expect(await owner(token)).toMatchObject({ name: 'labs:grader' });
  });

  it('are cached for at most a thousand tokens', async () => {
    let reviews = 0;
    const owner = createServiceAccountVerifier({
      config: { audience: 'porthole', allow: ['labs:grader'], impersonation: undefined },
      review: async () => (reviews++, 'system:serviceaccount:labs:grader'),
      clock,
    });
    const token = (jti: number) =>
      new UnsecuredJWT({ sub: 'system:serviceaccount:labs:grader', jti: String(jti) }).encode();
    for (let jti = 0; jti <= 1000; jti += 1) await owner(token(jti));
    await owner(token(1));
    expect(reviews).toBe(1001);
    await owner(token(0));
    expect(reviews).toBe(1002);
  });

  it('are left to other verifiers if they are not of a service account', async () => {
    const owner = await check();
    expect(await owner(new UnsecuredJWT({ sub: 'anna' }).encode())).toBeUndefined();
    expect(await owner('nonsense')).toBeUndefined();
    expect(kubernetes.requests).toEqual([]);
  });
});
