import { constantSecret } from '@porthole/shared/config/secret';
import { freePort } from '../free-port.ts';
import { startIssuer, type TestIssuer } from '../fakes/oidc/issuer.ts';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { describeWith } from '../needs.ts';
import { aPerson } from './person.ts';
import { useBrowser } from './scene.ts';
import { startStack, type Stack } from './stack.ts';

describeWith('chromium')('signing in at a real OpenID provider', () => {
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

  test('leads to the machines, to a console, and out again at both places', async () => {
    await start();
    const person = await aPerson(browser(), stack.origin);
    const { page } = person;
    // Only one way to sign in: the browser is sent there at once.
    await page.goto(`${stack.origin}/console/lab/101`);
    await page.waitForURL(`${issuer.url}/**`);
    await page.locator('input[name=login]').fill('sam-1');
    await page.locator('input[name=password]').fill('anything');
    await page.locator('button[type=submit]').click();
    await page.getByRole('button', { name: /continue/i }).click();
    // Back where the person wanted to go.
    await page.waitForURL(`${stack.origin}/console/lab/101`);
    await person.reaches('open');

    await page.goto(stack.origin);
    await page.getByText('Sam Student').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${issuer.url}/**`);
    expect(page.url()).not.toContain('eyJ');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${stack.origin}/?why=signed-out`);
    await page.getByText('You have signed out.').waitFor();
    // Not sent off at once: the person has just left.
    await page.getByRole('link', { name: 'Sign in with School' }).waitFor();
    expect(await page.evaluate(async () => (await fetch('/api/v1/me')).status)).toBe(401);
    // The provider's own page asks for a font.
    expect(person.faults.filter((fault) => !fault.includes('fonts.googleapis.com'))).toEqual([]);
    await person.leave();
  });

  test('stands beside the password of local users, and says what went wrong', async () => {
    await start({ local: { usersFile: constantSecret('users: []') } });
    const person = await aPerson(browser(), stack.origin);
    const { page } = person;
    await page.goto(stack.origin);
    await page.getByLabel('Name').waitFor();
    await page.getByRole('link', { name: 'Sign in with School' }).click();
    await page.waitForURL(`${issuer.url}/**`);
    await page.getByText('Cancel').click();
    await page.waitForURL(`${stack.origin}/?why=sign_in_refused`);
    await page.getByText('The sign-in service did not let you in.').waitFor();
    await person.leave();
  });
});
