import type { Browser } from 'puppeteer-core';
import { eventually } from '../eventually.ts';
import type { Launch } from '../fakes/lti/platform.ts';
import { describeWith } from '../needs.ts';
import { openFirefoxUser, startFirefox } from './firefox-user.ts';
import { startLtiCourse, student, teacher, type LtiCourse } from './lti-course.ts';

/** `nsICookieService.idl`: cookies of other sites are rejected. */
const rejectForeign = 1;

describeWith('firefox')('a course page in Firefox, which blocks third-party cookies', () => {
  let browser: Browser;
  let course: LtiCourse;

  beforeAll(async () => {
    browser = await startFirefox({ 'network.cookie.cookieBehavior': rejectForeign });
    course = await startLtiCourse();
  });
  afterAll(async () => {
    await browser?.close();
    await course?.stop();
  });

  async function openCourse(launch: Launch) {
    const { platform } = course;
    platform.setLaunch({ storageTarget: '_parent', ...launch });
    const user = await openFirefoxUser(browser, course.stack.origin);
    await user.page.goto(`${platform.origin}/course`);
    const frame = await user.page.waitForFrame(
      async (one) => (await one.frameElement())?.evaluate((it) => it.id === 'tool') ?? false,
    );
    return { user, frame };
  }

  test('shows the console in its frame, because the platform stores the secret of the launch', async () => {
    const { user, frame } = await openCourse(student);
    await frame.waitForSelector('body[data-state=open] canvas');
    // The browser really blocks.
    expect(
      await frame.evaluate(() => {
        document.cookie = 'probe=1; SameSite=None; Secure';
        return document.cookie;
      }),
    ).toBe('');
    expect(user.faults).toEqual([]);
    await user.close();
  });

  test('lets a teacher choose what a link opens', async () => {
    const { user, frame } = await openCourse({ ...teacher, deepLinking: true });
    await frame.locator('::-p-aria(lab-anna)').click();
    await frame.locator('::-p-aria([name="Add"][role="button"])').click();
    await eventually('the platform has the answer', () => course.platform.deepLinked() !== undefined);
    expect(course.platform.deepLinked()).toMatchObject({
      'https://purl.imsglobal.org/spec/lti-dl/claim/content_items': [
        { title: 'lab-anna', custom: { porthole_machine: 'lab/101' } },
      ],
    });
    await user.close();
  });
});
