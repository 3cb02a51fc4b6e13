import type { JWTPayload } from 'jose';
import { createWalker, type Walker } from '../fakes/oidc/walk.ts';
import { threat } from './threat-table.ts';
import { seconds, startTwoProviders, type TwoProviders } from './two-providers.ts';

let providers: TwoProviders;
beforeAll(async () => {
  providers = await startTwoProviders();
});
afterAll(() => providers.stop());
const me = (browser: Walker) => providers.me(browser);

describe(threat('T4'), () => {
  const event = 'http://schemas.openid.net/event/backchannel-logout';
  const logoutToken = (changes: object = {}): JWTPayload => ({
    iss: providers.school.url,
    aud: providers.school.clientId,
    iat: seconds(),
    exp: seconds() + 100,
    jti: Math.random().toString(36),
    sub: 'anna-1',
    events: { [event]: {} },
    ...changes,
  });
  const post = async (name: string, body: string, type = 'application/x-www-form-urlencoded') =>
    (
      await fetch(`${providers.origin}/api/v1/login/oidc/${name}/logout`, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
      })
    ).status;
  const logout = (name: string, token: string) =>
    post(name, new URLSearchParams({ logout_token: token }).toString());
  let anna: Walker;
  beforeEach(async () => {
    anna = createWalker(providers.school.url);
    await anna.walk(`${providers.origin}/api/v1/login/oidc/school`, { sub: 'anna-1' });
    expect((await me(anna)).user.id).toBe('oidc:school:anna-1');
  });

  test('a provider ends no sign-in of another provider', async () => {
    const ofEvil = { iss: providers.evil.url, aud: 'porthole' };
    expect(await logout('evil', await providers.evil.sign(logoutToken(ofEvil), { typ: 'logout+jwt' }))).toBe(
      200,
    );
    expect(await logout('school', await providers.evil.sign(logoutToken(), { typ: 'logout+jwt' }))).toBe(400);
    expect(await logout('school', await providers.evil.sign(logoutToken(ofEvil)))).toBe(400);
    expect(await logout('evil', await providers.school.sign(logoutToken()))).toBe(400);
    expect((await me(anna)).user.name).toBe('anna');
  });

  test.each<[string, object]>([
    ['with a text for events', { events: event }],
    ['with a list of events', { events: [event] }],
    ['with another event', { events: { [`${event}x`]: {} } }],
    ['with an event that every object has', { events: { toString: {} } }],
    ['with a nonce of null', { nonce: null }],
    ['made in the future', { iat: seconds() + 3600, exp: seconds() + 7200 }],
    ['made long ago, that lives on', { iat: seconds() - 3600, exp: seconds() + 3600 }],
    ['without a time', { iat: undefined }],
    ['for no client', { aud: [] }],
    ['of a subject that is a list', { sub: ['anna-1'] }],
    ['of another subject', { sub: 'anna-10' }],
    ['of another session', { sid: 'another' }],
  ])('a logout token %s ends no sign-in', async (_what, changes) => {
    await logout('school', await providers.school.sign(logoutToken(changes)));
    expect((await me(anna)).user.name).toBe('anna');
  });

  test('a token in another place than the form is not read', async () => {
    const token = await providers.school.sign(logoutToken());
    for (const [body, type] of [
      [JSON.stringify({ logout_token: token }), 'application/json'],
      [`logout_token=${token}`, 'text/plain'],
      [`logout_token[]=${token}`, undefined],
      [`logout_token=x&logout_token=${token}`, undefined],
      [`__proto__[logout_token]=${token}`, undefined],
    ] as const)
      expect(await post('school', body, type)).toBe(400);
    const inUrl = await fetch(`${providers.origin}/api/v1/login/oidc/school/logout?logout_token=${token}`, {
      method: 'POST',
    });
    expect(inUrl.status).toBe(400);
    expect((await me(anna)).user.name).toBe('anna');
  });

  test('a token counts once', async () => {
    const token = await providers.school.sign(logoutToken(), { typ: 'logout+jwt' });
    expect(await logout('school', token)).toBe(200);
    expect((await me(anna)).code).toBe('not_signed_in');
    await anna.walk(`${providers.origin}/api/v1/login/oidc/school`, { sub: 'anna-1' });
    expect(await logout('school', token)).toBe(400);
    expect((await me(anna)).user.name).toBe('anna');
  });
});
