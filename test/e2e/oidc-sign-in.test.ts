import { constantSecret, type Secret } from '@porthole/shared/config/secret';
import { freePort } from '../free-port.ts';
import { startIssuer, type TestIssuer } from '../fakes/oidc/issuer.ts';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { describeWith } from '../needs.ts';
import { openBrowserUser } from './browser-user.ts';
import { useBrowser } from './scene.ts';
import { startStack, type Stack } from './stack.ts';

describeWith('chromium')('signing in at an OpenID provider', () => {
  const browser = useBrowser();
  let issuer: TestIssuer;
  let stack: Stack;
  let publicUrl: string;

  async function start({
    basePath = '',
    ...others
  }: { basePath?: string; local?: { usersFile: Secret } } = {}): Promise<void> {
    const port = await freePort();
    publicUrl = `http://127.0.0.1:${port}${basePath}`;
    issuer = await startIssuer({
      accounts: [
        { sub: 'sam-1', claims: { preferred_username: 'student', name: 'Sam Student', groups: ['class-a'] } },
      ],
      redirectUris: [`${publicUrl}/api/v1/login/oidc/school/callback`],
      postLogoutRedirectUris: [`${publicUrl}/?why=signed-out`],
    });
    const oidc = {
      name: 'school',
      title: 'School',
      issuer: issuer.url,
      clientId: issuer.clientId,
      clientSecret: constantSecret(issuer.clientSecret),
      scopes: ['openid', 'profile', 'groups'],
    };
    stack = await startStack({
      port,
      machines: [
        { vmid: 101, name: 'student-1', node: 'pve1', guest: createBuiltinGuest({ name: 'student-1' }) },
      ],
      settings: () => ({ publicUrl, signIn: { oidc: [oidc], ...others } }),
    });
  }
  afterEach(async () => {
    await stack.stop();
    await issuer.stop();
  });

  test.each([
    ['at the root of a host', ''],
    ['below a base path', '/consoles'],
  ])('%s leads to a console, and signing out ends the sign-in at the provider too', async (_, basePath) => {
    await start({ basePath });
    const person = await openBrowserUser(browser(), publicUrl);
    const { page } = person;
    // With only one method, the page redirects at once.
    await page.goto(`${publicUrl}/console/lab/101`);
    await page.waitForURL(`${issuer.url}/**`);
    await page.locator('input[name=login]').fill('sam-1');
    await page.locator('input[name=password]').fill('anything');
    await page.locator('button[type=submit]').click();
    await page.getByRole('button', { name: /continue/i }).click();
    // Back to the page that was requested.
    await page.waitForURL(`${publicUrl}/console/lab/101`);
    await person.waitForState('open');

    await page.goto(publicUrl);
    await page.getByText('Sam Student').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${issuer.url}/**`);
    expect(page.url()).not.toContain('eyJ');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${publicUrl}/?why=signed-out`);
    await page.getByText('You have signed out.').waitFor();
    // After signing out, the page does not redirect.
    await page.getByRole('link', { name: 'Sign in with School' }).waitFor();
    expect(
      await page.evaluate(async () => (await fetch(new URL('api/v1/me', document.baseURI))).status),
    ).toBe(401);
    // The provider's own page loads a font.
    expect(person.faults.filter((fault) => !fault.includes('fonts.googleapis.com'))).toEqual([]);
    await person.close();
  });

  test('is offered beside local accounts, and a refusal is shown', async () => {
    await start({ local: { usersFile: constantSecret('users: []') } });
    const person = await openBrowserUser(browser(), stack.origin);
    const { page } = person;
    await page.goto(stack.origin);
    await page.getByLabel('Name').waitFor();
    await page.getByRole('link', { name: 'Sign in with School' }).click();
    await page.waitForURL(`${issuer.url}/**`);
    await page.getByText('Cancel').click();
    await page.waitForURL(`${stack.origin}/?why=sign_in_refused`);
    await page.getByText('The sign-in service denied access.').waitFor();
    await person.close();
  });
});
