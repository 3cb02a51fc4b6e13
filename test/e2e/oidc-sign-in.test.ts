import { constantSecret } from '@porthole/shared/config/secret';
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

  async function start(others: object = {}): Promise<void> {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    issuer = await startIssuer({
      accounts: [
        { sub: 'sam-1', claims: { preferred_username: 'student', name: 'Sam Student', groups: ['class-a'] } },
      ],
      redirectUris: [`${origin}/api/v1/login/oidc/school/callback`],
      postLogoutRedirectUris: [`${origin}/?why=signed-out`],
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
      settings: () => ({ signIn: { oidc: [oidc], ...others } }),
    });
  }
  afterEach(async () => {
    await stack.stop();
    await issuer.stop();
  });

  test('leads to a console, and signing out ends the sign-in at the provider too', async () => {
    await start();
    const person = await openBrowserUser(browser(), stack.origin);
    const { page } = person;
    // With only one method, the page redirects at once.
    await page.goto(`${stack.origin}/console/lab/101`);
    await page.waitForURL(`${issuer.url}/**`);
    await page.locator('input[name=login]').fill('sam-1');
    await page.locator('input[name=password]').fill('anything');
    await page.locator('button[type=submit]').click();
    await page.getByRole('button', { name: /continue/i }).click();
    // Back to the page that was requested.
    await page.waitForURL(`${stack.origin}/console/lab/101`);
    await person.waitForState('open');

    await page.goto(stack.origin);
    await page.getByText('Sam Student').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${issuer.url}/**`);
    expect(page.url()).not.toContain('eyJ');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${stack.origin}/?why=signed-out`);
    await page.getByText('You have signed out.').waitFor();
    // After signing out, the page does not redirect.
    await page.getByRole('link', { name: 'Sign in with School' }).waitFor();
    expect(await page.evaluate(async () => (await fetch('/api/v1/me')).status)).toBe(401);
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
