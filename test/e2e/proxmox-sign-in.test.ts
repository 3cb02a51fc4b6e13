import { constantSecret } from '@porthole/shared/config/secret';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { describeWith } from '../needs.ts';
import { openBrowserUser, signInHere, type BrowserUser } from './browser-user.ts';
import { useBrowser } from './scene.ts';
import { everythingAllowed, proxmoxAccount } from './stack-config.ts';
import { startStack, type Stack } from './stack.ts';

const anna = {
  userid: 'anna@ad',
  password: 'the password of anna',
  totp: '123456',
  recovery: ['1a2b-3c4d', '5e6f-7a8b'],
  acl: { '/vms/101': ['VM.Console', 'VM.Audit'] },
};

describeWith('chromium')('signing in with a Proxmox account', () => {
  const browser = useBrowser();
  let stack: Stack;
  let person: BrowserUser;

  async function start(signIn: object = {}): Promise<void> {
    stack = await startStack({
      machines: [101, 102].map((vmid) => ({
        vmid,
        name: `lab-${vmid}`,
        node: 'pve1',
        guest: createBuiltinGuest({ name: `lab-${vmid}` }),
      })),
      proxmox: {
        users: [
          { userid: proxmoxAccount.userid, password: proxmoxAccount.password, acl: everythingAllowed },
          anna,
        ],
      },
      settings: () => ({
        access: undefined,
        signIn: {
          proxmox: [{ cluster: 'lab', realms: [{ name: 'ad', title: 'School account' }, { name: 'pve' }] }],
          ...signIn,
        },
      }),
    });
    person = await openBrowserUser(browser(), stack.origin, { recordAnswers: true });
  }
  afterEach(async () => {
    await person.close();
    await stack.stop();
  });

  const typeCode = async (text: string) => {
    await person.page.keyboard.type(text);
    await person.page.keyboard.press('Enter');
  };
  const focusIsOn = (id: string) =>
    person.page.waitForFunction((wanted) => document.activeElement?.id === wanted, id);

  test("with password and code opens the user's console and no other", async () => {
    await start();
    const { page } = person;
    await page.goto(`${stack.origin}/console/lab/101`);
    await signInHere(person, 'anna', anna.password);
    await page.getByText('Enter your second factor.').waitFor();
    await focusIsOn('code');
    await typeCode('000000');
    await page.getByRole('alert').getByText('The code is incorrect').waitFor();
    await focusIsOn('code');
    await typeCode('123456');
    await person.waitForState('open');

    await page.goto(stack.origin);
    await page.getByText('lab-101').first().waitFor();
    expect(await page.locator('.machine-name').allTextContents()).toEqual(['lab-101']);
    await person.visitConsole(102);
    await person.hasHeading('This machine does not exist, or you have no access to it.');
    await page.goto(stack.origin);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You have signed out.').waitFor();

    await person.received.complete();
    const seen = [...person.received.answers, ...stack.logged].join('\n');
    for (const secret of stack.proxmox.issuedSecrets()) expect(seen).not.toContain(secret);
  });

  test('accepts a recovery key, and can be restarted', async () => {
    await start();
    const { page } = person;
    await page.goto(stack.origin);
    await signInHere(person, 'anna', anna.password);
    await page.getByRole('button', { name: 'Use a recovery key' }).click();
    await page.getByLabel('Recovery key').waitFor();
    await page.getByRole('button', { name: 'Start over' }).click();
    await signInHere(person, 'anna', anna.password);
    await page.getByRole('button', { name: 'Use a recovery key' }).click();
    await focusIsOn('code');
    await typeCode('1a2b-3c4d');
    await page.locator('body[data-page=machines]').waitFor();
  });

  test('is offered beside other account sources', async () => {
    await start({ local: { usersFile: constantSecret('users: []') } });
    const { page } = person;
    await page.goto(stack.origin);
    const sources = page.getByLabel('Account');
    await sources.waitFor();
    expect(await sources.locator('option').allTextContents()).toEqual(['School account', 'pve', 'Porthole']);
    await sources.selectOption('Porthole');
    await signInHere(person, 'anna', anna.password);
    await page.getByRole('alert').getByText('The name or password is incorrect.').waitFor();
    await sources.selectOption('School account');
    await signInHere(person, 'anna', anna.password);
    await page.getByText('Enter your second factor.').waitFor();
  });
});
