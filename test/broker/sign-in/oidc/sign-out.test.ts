import { createWalker } from '../../../fakes/oidc/walk.ts';
import { closeSchool, start } from './school.ts';

afterEach(closeSchool);

describe('sign-in at an OpenID Connect provider', () => {
  it("leads to the provider's sign-out page at sign-out, without a token in the URL", async () => {
    const { issuer, origin, signIn, me, post } = await start();
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
    const { signIn, post } = await start({ oidc: { rpInitiatedLogout: false } });
    await signIn();
    expect((await post('/api/v1/logout')).status).toBe(204);
  });

  it('is listed for the user, who can end it from another browser', async () => {
    const { issuer, origin, walker, begin, signIn, me, ends } = await start();
    const phone = createWalker(issuer.url);
    await signIn();
    await phone.walk(begin(), { sub: 'anna-1' });
    const response = await walker.fetch(`${origin}/api/v1/me/logins`);
    const list = (await response.json()) as { logins: readonly { id: string }[] };
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
    const answer = await walker.fetch(`${origin}/api/v1/me/logins/${list.logins[1]?.id}`, {
      method: 'DELETE',
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    expect(answer.status).toBe(204);
    expect((await me(phone)).code).toBe('not_signed_in');
    expect((await me()).user.name).toBe('anna');
    expect(heard).toEqual([expect.objectContaining({ target: { kind: 'login', ref: list.logins[1]?.id } })]);
  });
});
