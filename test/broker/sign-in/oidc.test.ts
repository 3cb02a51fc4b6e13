import { constantSecret } from '@porthole/shared/config/secret';
import { PortholeError } from '@porthole/shared/errors';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { systemClock } from '@porthole/shared/time/clock';
import { createConsoleSignals, type ConsoleSignal } from '@porthole/shared/session/signals';
import { grantKeysOf } from '@porthole/shared/config/read';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';
import { startIssuer, type TestIssuer } from '../../fakes/oidc/issuer.ts';
import { createWalker, type Walker } from '../../fakes/oidc/walk.ts';
import { freePort } from '../../free-port.ts';
import { eventually } from '../../eventually.ts';
import { closeBrokers, grantKey, startBroker, type Rig, type RigOptions } from '../rig.ts';

const anna = {
  sub: 'anna-1',
  claims: {
    preferred_username: 'anna',
    name: 'Anna Berg',
    email: 'anna@school.example',
    groups: ['class-a'],
  },
};

describe('sign-in at an OpenID Connect provider', () => {
  let issuer: TestIssuer;
  let rig: Rig;
  let origin: string;
  let clock: FakeClock;
  let walker: Walker;

  async function start(options: { issuer?: object; oidc?: object; rig?: RigOptions } = {}): Promise<void> {
    const port = await freePort();
    origin = `http://127.0.0.1:${port}`;
    issuer = await startIssuer({
      accounts: [anna, { sub: 'ben-2', claims: { preferred_username: 'ben' } }],
      redirectUris: [`${origin}/api/v1/login/oidc/school/callback`],
      postLogoutRedirectUris: [`${origin}/?why=signed-out`],
      backChannelLogoutUri: `${origin}/api/v1/login/oidc/school/logout`,
      ...options.issuer,
    });
    clock = createFakeClock(Date.now());
    rig = await startBroker({
      clock,
      ...options.rig,
      config: {
        publicUrl: origin,
        listen: `127.0.0.1:${port}`,
        signIn: {
          oidc: [
            {
              name: 'school',
              title: 'School',
              issuer: issuer.url,
              clientId: issuer.clientId,
              clientSecret: constantSecret(issuer.clientSecret),
              scopes: ['openid', 'profile', 'email', 'groups'],
              ...options.oidc,
            },
          ],
        },
        ...options.rig?.config,
      },
    });
    walker = createWalker(issuer.url);
  }
  const begin = (search = '') => `${origin}/api/v1/login/oidc/school${search}`;
  const signIn = (sub = 'anna-1', search = '') => walker.walk(begin(search), { sub });
  // Tests read fields that they expect.
  // oxlint-disable-next-line typescript/no-explicit-any
  const json = (response: Response): Promise<any> => response.json();
  const me = async (who = walker) => json(await who.fetch(`${origin}/api/v1/me`));
  const post = (path: string, body?: object, who = walker) =>
    who.fetch(`${origin}${path}`, {
      method: 'POST',
      headers: { 'sec-fetch-site': 'same-origin', ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  const logout = (token: string, type = 'application/x-www-form-urlencoded') =>
    fetch(`${origin}/api/v1/login/oidc/school/logout`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: new URLSearchParams({ logout_token: token }).toString(),
    });
  const logoutClaims = (extra: object = {}) => ({
    iss: issuer.url,
    aud: issuer.clientId,
    iat: Math.floor(Date.now() / 1000),
    exp: Math.floor(Date.now() / 1000) + 100,
    jti: Math.random().toString(36),
    sub: 'anna-1',
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    ...extra,
  });
  function ends(): ConsoleSignal[] {
    const heard: ConsoleSignal[] = [];
    const keys = grantKeysOf(constantSecret(grantKey));
    createConsoleSignals({ bus: rig.store.signals, keys, random: systemRandom, clock: rig.clock }).subscribe(
      (signal) => heard.push(signal),
    );
    return heard;
  }

  afterEach(async () => {
    await closeBrokers();
    await issuer.stop();
  });

  it("signs in the user with the provider's groups, and returns to the requested page", async () => {
    await start();
    const answer = await signIn('anna-1', '?return=/console/proxmox/101');
    expect(answer.at).toBe(`${origin}/console/proxmox/101`);
    expect((await me()).user).toEqual({
      id: 'oidc:school:anna-1',
      name: 'anna',
      displayName: 'Anna Berg',
      groups: ['class-a'],
    });
    expect(rig.log.join('')).not.toMatch(/code=|eyJ|client secret/);
  });

  it('reads claims that the ID token lacks from userinfo', async () => {
    await start({ issuer: { claimsInUserinfoOnly: true } });
    await signIn();
    expect((await me()).user).toMatchObject({ name: 'anna', groups: ['class-a'] });
  });

  it('reads nested groups, keeps configured claims, and adds the name prefix', async () => {
    const claims = { ...anna.claims, groups: { teams: ['red'], list: 'one' } };
    await start({
      issuer: { accounts: [{ sub: 'anna-1', claims }] },
      oidc: { claims: { groups: 'groups.teams', keep: ['groups.list'] }, namePrefix: 'school/' },
    });
    await signIn();
    expect((await me()).user).toMatchObject({ name: 'school/anna', groups: ['red'] });
  });

  it('redirects to the sign-in page with the reason if the user cancels', async () => {
    await start();
    const answer = await walker.walk(begin(), { sub: 'anna-1', cancel: true });
    expect(answer.at).toBe(`${origin}/?why=sign_in_refused`);
    expect((await me()).code).toBe('not_signed_in');
  });

  it('redirects to the sign-in page with the reason if the provider is unavailable', async () => {
    await start({ oidc: { issuer: 'http://127.0.0.1:1' } });
    const answer = await walker.fetch(begin());
    expect(answer.headers.get('location')).toBe('/?why=sign_in_provider_unavailable');
  });

  it.each([
    'https://evil.example/console/a/1',
    '//evil.example/console/a/1',
    '/console/../../evil',
    String.raw`/console/\evil.example`,
    'javascript:alert(1)',
    '/api/v1/logout',
  ])('does not redirect to another site afterwards: %s', async (wanted) => {
    await start();
    const answer = await signIn('anna-1', `?return=${encodeURIComponent(wanted)}`);
    expect(new URL(answer.at).origin).toBe(origin);
    expect(new URL(answer.at).pathname).toMatch(/^\/($|console\/)/);
  });

  it('can be completed only in the browser that started it', async () => {
    await start();
    const attacker = createWalker(issuer.url);
    // The attacker signs in, stops before the last step, and sends that link to the victim.
    let link = '';
    const original = attacker.fetch;
    const first = await original(begin());
    let url = first.headers.get('location') ?? '';
    for (let step = 0; step < 20 && link === ''; step += 1) {
      const response = await original(url);
      const next = response.headers.get('location');
      if (next?.includes('/callback')) link = next;
      else if (next) url = new URL(next, url).href;
      else {
        const text = await response.text();
        const action = /<form[^>]*action="([^"]+)"/.exec(text)?.[1] ?? '';
        const prompt = /name="prompt" value="([^"]+)"/.exec(text)?.[1] ?? '';
        const sent = await original(new URL(action, url).href, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({ prompt, login: 'ben-2', password: 'x' }).toString(),
        });
        url = new URL(sent.headers.get('location') ?? '', url).href;
        if (url.includes('/callback')) link = url;
      }
    }
    expect(link).toContain('code=');
    const victim = await walker.fetch(link);
    expect(victim.headers.get('location')).toBe('/?why=sign_in_expired');
    expect((await me()).code).toBe('not_signed_in');
    // The link is used up, even for the attacker.
    expect((await original(link)).headers.get('location')).toBe('/?why=sign_in_expired');
  });

  it('creates a new secret, whatever cookie the browser sends', async () => {
    await start();
    const planted = 'A'.repeat(43);
    walker.cookies(origin).set('porthole', planted);
    await signIn();
    const given = walker.cookies(origin).get('porthole');
    expect(given).toBeDefined();
    expect(given).not.toBe(planted);
  });

  it('is refreshed after `refreshSeconds`, and follows a change of groups', async () => {
    await start();
    await signIn();
    issuer.accounts.set('anna-1', { ...anna, claims: { ...anna.claims, groups: ['class-b'] } });
    expect((await me()).user.groups).toEqual(['class-a']);
    clock.advance(301_000);
    expect((await me()).user.groups).toEqual(['class-b']);
    expect((await me()).user.groups).toEqual(['class-b']);
  });

  it('ends with its consoles if the provider removed the user', async () => {
    await start();
    await signIn();
    const heard = ends();
    issuer.accounts.delete('anna-1');
    clock.advance(301_000);
    expect((await me()).code).toBe('not_signed_in');
    expect(heard).toEqual([expect.objectContaining({ type: 'terminate', cause: 'signed_out' })]);
  });

  it('stays valid while the provider does not answer', async () => {
    await start();
    await signIn();
    await issuer.stop();
    clock.advance(301_000);
    expect((await me()).user.name).toBe('anna');
  });

  it("leads to the provider's sign-out page at sign-out, without a token in the URL", async () => {
    await start();
    await signIn();
    const answer = (await (await post('/api/v1/logout')).json()) as { url: string };
    const url = new URL(answer.url);
    expect(url.origin + url.pathname).toBe(`${issuer.url}/session/end`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'porthole',
      post_logout_redirect_uri: `${origin}/?why=signed-out`,
    });
    expect((await me()).code).toBe('not_signed_in');
  });

  it('does not lead to the provider at sign-out if `rpInitiatedLogout` is off', async () => {
    await start({ oidc: { rpInitiatedLogout: false } });
    await signIn();
    expect((await post('/api/v1/logout')).status).toBe(204);
  });

  it('ends all sign-ins of the user and their consoles on a back-channel logout', async () => {
    await start();
    const elsewhere = createWalker(issuer.url);
    await signIn();
    await elsewhere.walk(begin(), { sub: 'anna-1' });
    const ben = createWalker(issuer.url);
    await ben.walk(begin(), { sub: 'ben-2' });
    const heard = ends();
    const answer = await logout(await issuer.sign(logoutClaims(), { typ: 'logout+jwt' }));
    expect(answer.status).toBe(200);
    expect((await me()).code).toBe('not_signed_in');
    expect((await me(elsewhere)).code).toBe('not_signed_in');
    expect((await me(ben)).user.name).toBe('ben');
    expect(heard).toHaveLength(2);
  });

  it('ends only the session that a logout token names, even if the subject looks like a session', async () => {
    const sub = 'anna/sid/1';
    await start({ issuer: { accounts: [{ ...anna, sub }] } });
    await signIn(sub);
    const other = await issuer.sign(logoutClaims({ sub, sid: 'another session' }));
    expect((await logout(other)).status).toBe(200);
    expect((await me()).user.name).toBe('anna');
    expect((await logout(await issuer.sign(logoutClaims({ sub })))).status).toBe(200);
    expect((await me()).code).toBe('not_signed_in');
  });

  it('accepts the same logout token again if the sign-in could not be ended', async () => {
    const store = createMemoryStore({ clock: systemClock });
    let broken = false;
    const remove = (key: string) =>
      broken ? Promise.reject(new PortholeError('store_unavailable')) : store.records.delete(key);
    await start({ rig: { store: { ...store, records: { ...store.records, delete: remove } } } });
    await signIn();
    const token = await issuer.sign(logoutClaims());
    broken = true;
    expect((await logout(token)).status).toBe(503);
    broken = false;
    expect((await logout(token)).status).toBe(200);
    expect((await me()).code).toBe('not_signed_in');
    expect((await logout(token)).status).toBe(400);
  });

  it('ends if the user signs out at the real provider', async () => {
    await start();
    await signIn();
    // Signing out at the provider's own page, in the same browser.
    const page = await walker.fetch(`${issuer.url}/session/end`);
    const text = await page.text();
    const action = /<form[^>]*action="([^"]+)"/.exec(text)?.[1] ?? '';
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
    await walker.fetch(new URL(action, issuer.url).href, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ xsrf, logout: 'yes' }).toString(),
    });
    await eventually(async () => expect((await me()).code).toBe('not_signed_in'));
  });

  it.each([
    ['of another issuer', { iss: 'https://evil.example' }],
    ['for another client', { aud: 'another-client' }],
    ['that has expired', { iat: 1_000_000_000, exp: 1_000_000_100 }],
    ['without the event', { events: {} }],
    ['that is an ID token', { nonce: 'n' }],
    ['without a subject or session', { sub: undefined }],
    ['without an ID', { jti: undefined }],
  ])('rejects a logout token %s', async (_what, change) => {
    await start();
    await signIn();
    const answer = await logout(await issuer.sign(logoutClaims(change)));
    expect(answer.status).toBe(400);
    expect((await me()).user.name).toBe('anna');
  });

  it('rejects a logout token without a signature, with a foreign signature, or that was used before', async () => {
    await start();
    await signIn();
    const { SignJWT, generateKeyPair } = await import('jose');
    const { privateKey } = await generateKeyPair('RS256');
    const foreign = await new SignJWT(logoutClaims())
      .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
      .sign(privateKey);
    const bySecret = await new SignJWT(logoutClaims())
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(issuer.clientSecret));
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(logoutClaims())).toString('base64url')}.`;
    for (const token of [foreign, bySecret, none, '', 'x.y.z'])
      expect((await logout(token)).status).toBe(400);
    expect((await me()).user.name).toBe('anna');

    const good = await issuer.sign(logoutClaims({ sub: 'unknown' }));
    expect((await logout(good)).status).toBe(200);
    expect((await logout(good)).status).toBe(400);
  });

  it('is listed for the user, who can end it from another browser', async () => {
    await start();
    const phone = createWalker(issuer.url);
    await signIn();
    await phone.walk(begin(), { sub: 'anna-1' });
    const list = await json(await walker.fetch(`${origin}/api/v1/me/logins`));
    expect(list.logins).toEqual([
      {
        id: expect.any(String),
        method: 'oidc:school',
        since: expect.any(String),
        address: '127.0.0.1',
        current: true,
      },
      expect.objectContaining({ current: false }),
    ]);
    const heard = ends();
    const answer = await walker.fetch(`${origin}/api/v1/me/logins/${list.logins[1].id}`, {
      method: 'DELETE',
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    expect(answer.status).toBe(204);
    expect((await me(phone)).code).toBe('not_signed_in');
    expect((await me()).user.name).toBe('anna');
    expect(heard).toEqual([expect.objectContaining({ target: { kind: 'login', ref: list.logins[1].id } })]);
  });
});
