import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { forAnna, now, startKeys, startPortal, stopKeys, type Portal } from './portal.ts';

let portal: Portal;
beforeEach(async () => {
  portal = await startPortal();
});
afterEach(() => portal.stop());

describe('requests of programs', () => {
  it('get a console and its page URL on behalf of an allowed user', async () => {
    const answer = await portal.ask(forAnna, await portal.sign());
    expect(answer.status).toBe(201);
    expect(answer.json.page).toMatch(
      /^http:\/\/localhost:8080\/console\/proxmox\/101#code=[A-Za-z0-9_-]{43}$/,
    );
    expect(answer.json.protocols[1]).toMatch(/^porthole\.grant\./);
  });

  it("get the program's own rights without `onBehalfOf`", async () => {
    expect((await portal.ask({ mode: 'view' }, await portal.sign())).status).toBe(201);
    expect((await portal.ask({ mode: 'control' }, await portal.sign())).json.code).toBe('not_allowed');
  });

  it.each([
    ['a user whose name does not match', { id: '1', name: 'ben', groups: ['class-a'] }],
    ['a group that is not configured', { id: '1', name: 'anna', groups: ['class-a', 'admins'] }],
  ])('are denied for %s', async (_what, onBehalfOf) => {
    const answer = await portal.ask({ mode: 'control', onBehalfOf }, await portal.sign());
    expect([answer.status, answer.json.code]).toEqual([403, 'impersonation_not_allowed']);
  });

  it('give users only the rights of the access rules', async () => {
    const answer = await portal.ask(
      { mode: 'control', onBehalfOf: { id: '1', name: 'anton', groups: ['class-a'] } },
      await portal.sign(),
    );
    expect(answer.json.code).toBe('machine_not_found');
  });

  it.each([
    ['for another audience', () => portal.sign(portal.claims({ aud: 'another-service' }))],
    [
      'without an audience',
      () => portal.sign({ ...portal.claims(), aud: undefined } as unknown as JWTPayload),
    ],
    ['of another issuer', () => portal.sign(portal.claims({ iss: 'https://evil.example' }))],
    ['that has expired', () => portal.sign(portal.claims({ exp: now() - 120 }))],
    [
      'that never expires',
      () => portal.sign({ ...portal.claims(), exp: undefined } as unknown as JWTPayload),
    ],
    ['that is not valid yet', () => portal.sign(portal.claims({ nbf: now() + 600 }))],
    ['of a subject that is not configured', () => portal.sign(portal.claims({ sub: 'stranger' }))],
    ['without a subject', () => portal.sign({ ...portal.claims(), sub: undefined } as unknown as JWTPayload)],
    ['without a signature', async () => new UnsecuredJWT(portal.claims()).encode()],
    [
      'with a foreign signature',
      async () => portal.sign(portal.claims(), (await generateKeyPair('ES256')).privateKey),
    ],
    [
      'signed with the public key as a secret',
      async () =>
        new SignJWT(portal.claims())
          .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
          .sign(new TextEncoder().encode('the public key')),
    ],
    [
      'signed with an algorithm that is not allowed',
      async () =>
        new SignJWT(portal.claims())
          .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
          .sign((await generateKeyPair('RS256')).privateKey),
    ],
    ['that is malformed', async () => 'x.y.z'],
    ['of 10 KB', async () => 'a'.repeat(10_000)],
  ])('are rejected with a token %s', async (_what, token) => {
    const answer = await portal.ask(forAnna, await token());
    expect([answer.status, answer.json.code]).toEqual([401, 'token_invalid']);
    expect(answer.text).not.toContain('eyJ');
    expect(portal.rig.log.join('')).not.toContain('eyJ');
  });

  it('cause key requests to the configured issuer only, whatever issuer and keys a token names', async () => {
    const evil = await startKeys();
    try {
      const header = { jku: `${evil.url}/jwks`, jwk: await exportJWK(evil.privateKey) };
      const tokens = [
        await portal.sign(portal.claims({ iss: evil.url }), evil.privateKey),
        await portal.sign(portal.claims(), evil.privateKey, header),
        await portal.sign(portal.claims(), evil.privateKey, { ...header, kid: 'k2' }),
        await portal.sign(portal.claims(), evil.privateKey, { ...header, kid: 'k3' }),
      ];
      for (const token of tokens) expect((await portal.ask(forAnna, token)).json.code).toBe('token_invalid');
      expect(evil.requests).toEqual([]);
      // An unknown key ID fetches the keys again at most every 30 seconds.
      expect(portal.keys.requests).toEqual(['/.well-known/openid-configuration', '/jwks']);
      expect((await portal.ask(forAnna, await portal.sign())).status).toBe(201);
    } finally {
      stopKeys(evil);
    }
  });

  it("can't act for users without a token", async () => {
    expect((await portal.ask(forAnna, undefined, { 'sec-fetch-site': 'same-origin' })).status).toBe(401);
    expect((await portal.ask(forAnna, undefined)).json.code).toBe('cross_site');
  });
});
