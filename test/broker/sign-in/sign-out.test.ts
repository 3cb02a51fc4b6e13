import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { closeBrokers } from '../rig.ts';
import { startOidcRig, type OidcRig } from './oidc/shared-provider.ts';

const discovery = '/.well-known/openid-configuration';

describe('a sign-out while the provider hangs', () => {
  let rig: OidcRig;
  let release: () => void;

  beforeEach(async () => {
    // The second broker has not asked the provider anything yet, as after a restart.
    rig = await startOidcRig((clock) => {
      const store = createMemoryStore({ clock });
      return [store, store];
    });
    release = rig.issuer.hold(discovery);
  });
  afterEach(async () => {
    release();
    await closeBrokers();
    await rig.issuer.stop();
  });

  test('is finished for the user after a second, without the page of the provider', async () => {
    const began = performance.now();
    const answer = await rig.signOut(1);
    expect(answer.status).toBe(204);
    expect(answer.headers.getSetCookie()).toEqual([expect.stringMatching(/^porthole=;/)]);
    expect(performance.now() - began).toBeLessThan(2500);
    expect(rig.issuer.requests(discovery)).toBe(2);
    expect((await rig.me(1)).code).toBe('not_signed_in');
  });

  test('ends the sign-in before it waits for the provider', async () => {
    const signingOut = rig.signOut(1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await rig.me(0)).code).toBe('not_signed_in');
    await signingOut;
  });
});
