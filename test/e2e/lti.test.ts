import { generateKeyPairSync } from 'node:crypto';
import { constantSecret } from '@porthole/shared/config/secret';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { roles, startLtiPlatform, type Launch, type LtiPlatform } from '../fakes/lti/platform.ts';
import { describeWith } from '../needs.ts';
import { startBrowser, type Browser } from '../web/browser.ts';
import { startStack, type Stack } from './stack.ts';

describeWith('chromium')('a course page whose browser blocks third-party cookies', () => {
  let browser: Browser;
  let platform: LtiPlatform;
  let stack: Stack;

  beforeAll(async () => {
    // Playwright loses a frame that leaves its process and returns to one of its own within milliseconds.
    browser = await startBrowser('--test-third-party-cookie-phaseout', '--disable-site-isolation-trials');
    // Another host name than Porthole's is another site.
    platform = await startLtiPlatform('localhost');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const toolKeys = constantSecret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    stack = await startStack({
      machines: [
        {
          vmid: 101,
          name: 'lab-anna',
          node: 'pve1',
          tags: ['lab'],
          guest: createBuiltinGuest({ name: 'lab-anna' }),
        },
      ],
      rules: {
        classes: [
          {
            name: 'networks-1',
            title: 'Networks',
            members: { groups: ['lti:school:12:learner'] },
            instructors: { groups: ['lti:school:12:instructor'] },
            machines: { tags: ['lab'] },
            own: ['lab-{user}'],
            allow: ['control'],
          },
        ],
      },
      settings: () => ({ lti: { toolKeys, platforms: [platform.registration as never] } }),
    });
    platform.setTool(stack.origin);
  });
  afterAll(async () => {
    await browser?.stop();
    await stack?.stop();
    await platform?.stop();
  });

  async function openCourse(launch: Launch) {
    platform.setLaunch(launch);
    const { page, context } = await browser.open({ viewport: { width: 1100, height: 800 } });
    await page.goto(`${platform.origin}/course`);
    return { page, context, frame: page.frameLocator('#tool') };
  }

  const student = { custom: { porthole_machine: 'lab/101' } };
  const teacher = { roles: [roles.instructor], username: 'ada', sub: '7' };

  test('shows the console in its frame, because the platform stores the secret of the launch', async () => {
    const { page, context, frame } = await openCourse({ ...student, storageTarget: '_parent' });
    await frame.locator('body[data-state=open]').waitFor({ state: 'attached' });
    await frame.locator('canvas').first().waitFor();
    expect(await page.evaluate(() => (window as never as { asked: string[] }).asked)).toEqual([
      'lti.put_data',
      'lti.get_data',
    ]);
    expect(await context.cookies(stack.origin)).toEqual([]);
    // The browser really blocks: in the frame, the cookie that a page of its own keeps is lost.
    const setCookie = () => {
      document.cookie = 'probe=1; SameSite=None; Secure';
      return document.cookie;
    };
    expect(await page.frames()[1]?.evaluate(setCookie)).toBe('');
    await page.goto(stack.origin);
    expect(await page.evaluate(setCookie)).toContain('probe=1');
    await context.close();
  });

  test('shows the console also without that storage, by a cookie of this course page only', async () => {
    const { context, frame } = await openCourse(student);
    await frame.locator('body[data-state=open]').waitFor({ state: 'attached' });
    await context.close();
  });

  test('says what to do if the platform does not keep its promise to store', async () => {
    // The frame of this name does not exist.
    const { context, frame } = await openCourse({ ...student, storageTarget: 'storage' });
    await frame.getByRole('heading', { name: /did not confirm that it started this launch/ }).waitFor();
    await context.close();
  });

  test('lets a teacher choose what a link opens, and open the class in a window of its own', async () => {
    const selecting = await openCourse({ ...teacher, deepLinking: true, storageTarget: '_parent' });
    await selecting.frame.getByLabel('lab-anna').check();
    await Promise.all([
      selecting.page.waitForEvent('framenavigated', (one) => one.url().endsWith('/deep-link-return')),
      selecting.frame.getByRole('button', { name: 'Add' }).click(),
    ]);
    expect(platform.deepLinked()).toMatchObject({
      'https://purl.imsglobal.org/spec/lti-dl/claim/content_items': [
        { title: 'lab-anna', custom: { porthole_machine: 'lab/101' } },
      ],
    });
    await selecting.context.close();

    const custom = { porthole_class: 'networks-1' };
    const { context, frame } = await openCourse({ ...teacher, custom, storageTarget: '_parent' });
    const [opened] = await Promise.all([
      context.waitForEvent('page'),
      frame.getByRole('button', { name: 'Open the class' }).click(),
    ]);
    await opened.getByRole('heading', { name: 'Networks' }).waitFor();
    expect(new URL(opened.url()).pathname).toBe('/classes');
    await context.close();
  });
});
