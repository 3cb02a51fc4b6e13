import { generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { createWalker, type Walker } from '../fakes/oidc/walk.ts';
import { threat } from './threat-table.ts';
import { seconds, startTwoProviders, type TwoProviders } from './two-providers.ts';

let providers: TwoProviders;
beforeAll(async () => {
  providers = await startTwoProviders();
});
afterAll(() => providers.stop());
const me = (browser: Walker) => providers.me(browser);

const callback = (name: string, query: Readonly<Record<string, string>>) =>
  `${providers.origin}/api/v1/login/oidc/${name}/callback?${new URLSearchParams(query).toString()}`;
const whyOf = (response: Response) =>
  new URL(response.headers.get('location') ?? '/', providers.origin).searchParams.get('why') ?? 'signed in';

/** The parameters with which a browser is sent to a provider. */
async function begin(browser: Walker, name: string): Promise<URLSearchParams> {
  const response = await browser.fetch(`${providers.origin}/api/v1/login/oidc/${name}`);
  return new URL(response.headers.get('location') ?? '').searchParams;
}

/** Signs in at the school, but stops before the callback. */
async function authorize(browser: Walker, sub: string): Promise<URLSearchParams> {
  const first = await browser.fetch(`${providers.origin}/api/v1/login/oidc/school`);
  let url = first.headers.get('location') ?? '';
  for (let step = 0; step < 20; step++) {
    if (url.includes('/callback')) return new URL(url).searchParams;
    const response = await browser.fetch(url);
    const text = await response.text();
    const action = /<form[^>]*action="([^"]+)"/.exec(text)?.[1];
    const prompt = /name="prompt" value="([^"]+)"/.exec(text)?.[1] ?? '';
    const next =
      action === undefined
        ? response
        : await browser.fetch(new URL(action, url).href, {
            method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: new URLSearchParams({ prompt, login: sub, password: 'any' }).toString(),
          });
    url = new URL(next.headers.get('location') ?? '', url).href;
  }
  throw new Error('The provider did not redirect to the callback.');
}

const idToken = (nonce: string | null, changes: object = {}): JWTPayload => ({
  iss: providers.evil.url,
  aud: 'porthole',
  sub: 'anna-1',
  preferred_username: 'mallory',
  iat: seconds(),
  exp: seconds() + 60,
  nonce: nonce ?? '',
  ...changes,
});

/** Completes a sign-in at the hostile provider with this ID token. Answers why it failed, or `signed in`. */
async function signInWith(
  makeToken: (nonce: string | null) => Promise<string | undefined> | string | undefined,
): Promise<{ why: string; browser: Walker }> {
  const browser = createWalker(providers.evil.url);
  const sent = await begin(browser, 'evil');
  const token = await makeToken(sent.get('nonce'));
  providers.evil.onToken(() => ({
    access_token: 'a',
    token_type: 'bearer',
    ...(token === undefined ? {} : { id_token: token }),
  }));
  const response = await browser.fetch(callback('evil', { code: 'any', state: sent.get('state') ?? '' }));
  return { why: whyOf(response), browser };
}

async function expectRefused(why: string, browser: Walker): Promise<void> {
  expect(['sign_in_expired', 'sign_in_refused', 'sign_in_provider_unavailable']).toContain(why);
  expect((await me(browser)).code).toBe('not_signed_in');
}

describe(threat('T3'), () => {
  test('a provider can sign in users of its own, with names of its own', async () => {
    const { why, browser } = await signInWith((nonce) => providers.evil.sign(idToken(nonce)));
    expect(why).toBe('signed in');
    expect((await me(browser)).user).toMatchObject({ id: 'oidc:evil:anna-1', name: 'mallory' });
  });

  const otherKey = generateKeyPair('ES256');
  test.each<[string, (nonce: string | null) => Promise<string | undefined> | string | undefined]>([
    ['that is missing', () => undefined],
    ['that is empty', () => ''],
    ['without a signature', (nonce) => new UnsecuredJWT(idToken(nonce)).encode()],
    [
      'signed with the client secret',
      (nonce) =>
        new SignJWT(idToken(nonce))
          .setProtectedHeader({ alg: 'HS256' })
          .sign(new TextEncoder().encode(providers.evilSecret)),
    ],
    [
      'signed with another key',
      async (nonce) => providers.evil.sign(idToken(nonce), {}, (await otherKey).privateKey),
    ],
    ['of an unknown key ID', (nonce) => providers.evil.sign(idToken(nonce), { kid: 'k2' })],
    ['with another nonce', () => providers.evil.sign(idToken('another'))],
    ['without a nonce', () => providers.evil.sign(idToken('', { nonce: undefined }))],
    [
      'in the name of the school',
      (nonce) => providers.evil.sign(idToken(nonce, { iss: providers.school.url })),
    ],
    [
      'of a longer issuer',
      (nonce) => providers.evil.sign(idToken(nonce, { iss: `${providers.evil.url}/x` })),
    ],
    ['for another client', (nonce) => providers.evil.sign(idToken(nonce, { aud: 'grafana' }))],
    [
      'for several clients, authorized for another',
      (nonce) => providers.evil.sign(idToken(nonce, { aud: ['porthole', 'grafana'], azp: 'grafana' })),
    ],
    [
      'that has expired',
      (nonce) => providers.evil.sign(idToken(nonce, { exp: seconds() - 600, iat: seconds() - 900 })),
    ],
    ['without expiry', (nonce) => providers.evil.sign(idToken(nonce, { exp: undefined }))],
    ['without a subject', (nonce) => providers.evil.sign(idToken(nonce, { sub: undefined }))],
    ['of a subject that is a list', (nonce) => providers.evil.sign(idToken(nonce, { sub: ['anna-1'] }))],
  ])('an ID token %s is refused', async (_what, makeToken) => {
    const { why, browser } = await signInWith(makeToken);
    await expectRefused(why, browser);
  });

  test('the state of one provider is not accepted at the callback of the other', async () => {
    const browser = createWalker(providers.school.url);
    const atEvil = await begin(browser, 'evil');
    const atSchool = await authorize(browser, 'anna-1');
    const [code, state] = [atSchool.get('code') ?? '', atSchool.get('state') ?? ''];
    const mixedUp = [
      callback('school', { code, state: atEvil.get('state') ?? '', iss: providers.school.url }),
      callback('evil', { code, state, iss: providers.evil.url }),
    ];
    for (const link of mixedUp) await expectRefused(whyOf(await browser.fetch(link)), browser);
  });

  test('a code of the school is useless in a sign-in at the hostile provider, and the other way round', async () => {
    const browser = createWalker(providers.school.url);
    const code = (await authorize(browser, 'anna-1')).get('code') ?? '';
    const atEvil = await begin(browser, 'evil');
    providers.evil.onToken(() => ({ error: 'invalid_grant' }));
    const link = callback('evil', { code, state: atEvil.get('state') ?? '' });
    await expectRefused(whyOf(await browser.fetch(link)), browser);
    // The attacker knows the code now, and has no code verifier.
    const attacker = createWalker(providers.school.url);
    const own = await authorize(attacker, 'ben-1');
    const injected = callback('school', { code, state: own.get('state') ?? '', iss: providers.school.url });
    await expectRefused(whyOf(await attacker.fetch(injected)), attacker);
  });

  test('codes of two users that are exchanged sign neither of them in', async () => {
    const [victim, attacker] = [createWalker(providers.school.url), createWalker(providers.school.url)];
    const [ofVictim, ofAttacker] = [await authorize(victim, 'anna-1'), await authorize(attacker, 'ben-1')];
    const code = (from: URLSearchParams) => from.get('code') ?? '';
    const state = (from: URLSearchParams) => from.get('state') ?? '';
    const crossed: [Walker, string, string][] = [
      [victim, code(ofAttacker), state(ofAttacker)],
      [attacker, code(ofVictim), state(ofVictim)],
      [victim, code(ofAttacker), state(ofVictim)],
      [attacker, code(ofVictim), state(ofAttacker)],
    ];
    for (const [browser, code, state] of crossed) {
      const link = callback('school', { code, state, iss: providers.school.url });
      await expectRefused(whyOf(await browser.fetch(link)), browser);
    }
  });

  test('a callback works once, for its parameters only', async () => {
    const browser = createWalker(providers.school.url);
    const sent = await authorize(browser, 'anna-1');
    const good = Object.fromEntries(sent);
    const { state = '' } = good;
    const wrong: string[] = [
      callback('school', { ...good, state: '' }),
      callback('school', { ...good, state: `${state.slice(0, -4)}AAAA` }),
      `${callback('school', good)}&state=${state}`,
      callback('school', { ...good, state: `${state}A` }),
    ];
    for (const link of wrong) await expectRefused(whyOf(await browser.fetch(link)), browser);
    expect(whyOf(await browser.fetch(callback('school', good)))).toBe('signed in');
    await browser.fetch(`${providers.origin}/api/v1/logout`, {
      method: 'POST',
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    await expectRefused(whyOf(await browser.fetch(callback('school', good))), browser);
  });

  test('an answer in the name of another provider is refused', async () => {
    const browser = createWalker(providers.school.url);
    const sent = Object.fromEntries(await authorize(browser, 'anna-1'));
    const link = callback('school', { ...sent, iss: providers.evil.url });
    await expectRefused(whyOf(await browser.fetch(link)), browser);
  });
});
