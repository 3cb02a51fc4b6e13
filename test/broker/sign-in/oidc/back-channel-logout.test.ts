import { PortholeError } from '@porthole/shared/errors';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { systemClock } from '@porthole/shared/time/clock';
import { createWalker } from '../../../fakes/oidc/walk.ts';
import { eventually } from '../../../eventually.ts';
import { anna, closeSchool, start } from './school.ts';

afterEach(closeSchool);

describe('sign-in at an OpenID Connect provider', () => {
  it('ends all sign-ins of the user and their consoles on a back-channel logout', async () => {
    const { issuer, begin, signIn, me, logout, logoutClaims, ends } = await start();
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
    const { issuer, signIn, me, logout, logoutClaims } = await start({
      issuer: { accounts: [{ ...anna, sub }] },
    });
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
    const { issuer, signIn, me, logout, logoutClaims } = await start({
      rig: { store: { ...store, records: { ...store.records, delete: remove } } },
    });
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
    const { issuer, walker, signIn, me } = await start();
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
    const { issuer, signIn, me, logout, logoutClaims } = await start();
    await signIn();
    const answer = await logout(await issuer.sign(logoutClaims(change)));
    expect(answer.status).toBe(400);
    expect((await me()).user.name).toBe('anna');
  });

  it('rejects a logout token without a signature, with a foreign signature, or that was used before', async () => {
    const { issuer, signIn, me, logout, logoutClaims } = await start();
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
});
