import { createWalker } from '../../../fakes/oidc/walk.ts';
import { anna, closeSchool, start } from './school.ts';

afterEach(closeSchool);

describe('sign-in at an OpenID Connect provider', () => {
  it("signs in the user with the provider's groups, and returns to the requested page", async () => {
    const { rig, origin, signIn, me } = await start();
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
    const { signIn, me } = await start({ issuer: { claimsInUserinfoOnly: true } });
    await signIn();
    expect((await me()).user).toMatchObject({ name: 'anna', groups: ['class-a'] });
  });

  it('reads nested groups, keeps configured claims, and adds the name prefix', async () => {
    const claims = { ...anna.claims, groups: { teams: ['red'], list: 'one' } };
    const { signIn, me } = await start({
      issuer: { accounts: [{ sub: 'anna-1', claims }] },
      oidc: { claims: { groups: 'groups.teams', keep: ['groups.list'] }, namePrefix: 'school/' },
    });
    await signIn();
    expect((await me()).user).toMatchObject({ name: 'school/anna', groups: ['red'] });
  });

  it('redirects to the sign-in page with the reason if the user cancels', async () => {
    const { origin, walker, begin, me } = await start();
    const answer = await walker.walk(begin(), { sub: 'anna-1', cancel: true });
    expect(answer.at).toBe(`${origin}/?why=sign_in_refused`);
    expect((await me()).code).toBe('not_signed_in');
  });

  it('redirects to the sign-in page with the reason if the provider is unavailable', async () => {
    const { walker, begin } = await start({ oidc: { issuer: 'http://127.0.0.1:1' } });
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
    const { origin, signIn } = await start();
    const answer = await signIn('anna-1', `?return=${encodeURIComponent(wanted)}`);
    expect(new URL(answer.at).origin).toBe(origin);
    expect(new URL(answer.at).pathname).toMatch(/^\/($|console\/)/);
  });

  it('can be completed only in the browser that started it', async () => {
    const { issuer, walker, begin, me } = await start();
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
    const { origin, walker, signIn } = await start();
    const planted = 'A'.repeat(43);
    walker.cookies(origin).set('porthole', planted);
    await signIn();
    const given = walker.cookies(origin).get('porthole');
    expect(given).toBeDefined();
    expect(given).not.toBe(planted);
  });
});
