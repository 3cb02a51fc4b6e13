import { anna, closeSchool, start } from './school.ts';

afterEach(closeSchool);

describe('sign-in at an OpenID Connect provider', () => {
  it('is refreshed after `refreshSeconds`, and follows a change of groups', async () => {
    const { issuer, clock, signIn, me } = await start();
    await signIn();
    issuer.accounts.set('anna-1', { ...anna, claims: { ...anna.claims, groups: ['class-b'] } });
    expect((await me()).user.groups).toEqual(['class-a']);
    clock.advance(301_000);
    expect((await me()).user.groups).toEqual(['class-b']);
    expect((await me()).user.groups).toEqual(['class-b']);
  });

  it('ends with its consoles if the provider removed the user', async () => {
    const { issuer, clock, signIn, me, ends } = await start();
    await signIn();
    const heard = ends();
    issuer.accounts.delete('anna-1');
    clock.advance(301_000);
    expect((await me()).code).toBe('not_signed_in');
    expect(heard).toEqual([expect.objectContaining({ type: 'terminate', cause: 'signed_out' })]);
  });

  it('stays valid while the provider does not answer', async () => {
    const { issuer, clock, signIn, me } = await start();
    await signIn();
    await issuer.stop();
    clock.advance(301_000);
    expect((await me()).user.name).toBe('anna');
  });
});
