import type { BrowserContextOptions, Page } from 'playwright-core';
import { startBrowser, type Browser } from '../browser.ts';
import { describeWith } from '../../needs.ts';
import { takePicture } from '../../take-picture.ts';
import { accessibilityFaults } from '../axe.ts';
import { eventually } from '../../eventually.ts';
import { startSite } from '../site.ts';
import type { Site } from '../site-state.ts';
import { aClass, aSeat } from '../site-data.ts';

let browser: Browser;
let site: Site;
let page: Page;
let faults: string[];

const names = () => page.locator('.seat-name').allTextContents();
const acted = (...bodies: readonly object[]) =>
  eventually('the broker got the actions', () => {
    expect(site.classActions.map(({ body }) => body)).toEqual(bodies);
  });
const button = (name: string | RegExp) => page.getByRole('button', { name });
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

const screens: readonly (readonly [name: string, options: BrowserContextOptions])[] = [
  ['1280x720, light', { viewport: { width: 1280, height: 720 }, colorScheme: 'light' }],
  ['1280x720, dark', { viewport: { width: 1280, height: 720 }, colorScheme: 'dark' }],
  ['a tablet', { viewport: { width: 820, height: 1180 }, hasTouch: true }],
];

describeWith('chromium')('the page of a class', () => {
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.stop());
  beforeEach(async () => {
    site = await startSite();
    site.instructed = [aClass()];
    ({ page, faults } = await browser.open({ viewport: { width: 1280, height: 720 } }));
  });
  afterEach(async () => {
    await page.context().close();
    await site.stop();
    expect(faults).toEqual([]);
  });

  const open = async (path = '/classes') => {
    await page.goto(`${site.origin}${path}`);
    await page.locator('.seat').first().waitFor();
  };

  test('is linked only for instructors, and shows the seats with their state', async () => {
    await page.goto(site.origin);
    await page.getByRole('link', { name: 'Classes' }).click();
    await page.getByRole('heading', { name: 'Networks' }).waitFor();
    expect(await names()).toEqual(['ada', 'ben', 'carl', 'dora']);
    expect(await page.locator('.seat-state').allTextContents()).toEqual([
      'Console open',
      'Console open',
      'On, no console',
      'Off',
    ]);
    await page.getByText('2 of 4 seats with an open console').waitFor();
    site.instructed = [];
    await page.goto(site.origin);
    await page.getByRole('heading', { name: 'Your machines' }).waitFor();
    expect(await page.getByRole('link', { name: 'Classes' }).count()).toBe(0);
  });

  test('shows who asks for help first, and lowers the hand at "Done"', async () => {
    site.instructed = [
      aClass({
        hands: [
          {
            user: { id: 'local:ben', name: 'ben' },
            position: 1,
            since: minutesAgo(3),
            text: 'My disk is full',
          },
        ],
        seats: [
          aSeat('ada', 101),
          aSeat('ben', 102, { help: { position: 1, since: minutesAgo(3), text: 'My disk is full' } }),
        ],
      }),
    ];
    await open();
    expect(await names()).toEqual(['ben', 'ada']);
    await page.locator('.seat').first().getByText('My disk is full').waitFor();
    await page.locator('.seat').first().getByText('3 min').waitFor();
    // For screen readers.
    await page.getByText('ben asks for help.').waitFor({ state: 'attached' });
    await button('Done with ben').click();
    await acted({ action: 'lower', users: ['local:ben'] });
  });

  test('pauses the class at one click, and resumes it', async () => {
    await open();
    await button('Pause all').click();
    await acted({ action: 'pause', seconds: 600, text: '' });
    const until = new Date(Date.now() + 65_000).toISOString();
    site.instructed = [aClass({ paused: { until, text: 'Eyes up here.' } })];
    await page.getByText('The class is paused').waitFor();
    await page.getByText('Eyes up here.').waitFor();
    await page.getByText(/1:0\d/).waitFor();
    await takePicture({ page }, 'paused');
    await button('Resume').click();
    await acted({ action: 'pause', seconds: 600, text: '' }, { action: 'resume' });
  });

  test('pauses with a text and a time by the keyboard alone', async () => {
    await open();
    await page.getByLabel('Text while paused').focus();
    await page.keyboard.type('Look at the board.');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await acted({ action: 'pause', seconds: 300, text: 'Look at the board.' });
  });

  test('sends a message to all', async () => {
    await open();
    await page.getByRole('textbox', { name: 'Message' }).fill('Five more minutes.');
    await button('Send to all').click();
    await acted({ action: 'message', text: 'Five more minutes.' });
    await page.getByText('Sent to all members.').waitFor();
    expect(await page.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('');
  });

  test('sends a message to one member in two clicks, or to those that are marked', async () => {
    await open();
    await button('Message to ben').click();
    await page.keyboard.type('Well done.');
    await button('Send to ben').click();
    await acted({ action: 'message', text: 'Well done.', users: ['local:ben'] });
    await page.getByText('Sent to ben.').waitFor();
    await page.getByLabel('Mark ada').focus();
    await page.keyboard.press('Space');
    await page.getByLabel('Mark ben').check();
    // A member without a console can get no message.
    expect(await page.getByLabel('Mark carl').isDisabled()).toBe(true);
    await page.getByRole('textbox', { name: 'Message' }).fill('Hello.');
    await page.keyboard.press('Enter');
    await acted(
      { action: 'message', text: 'Well done.', users: ['local:ben'] },
      { action: 'message', text: 'Hello.', users: ['local:ada', 'local:ben'] },
    );
  });

  test('starts all machines and shows the progress', async () => {
    await open();
    await button('Start all machines').click();
    await acted({ action: 'start' });
    site.instructed = [aClass({ starting: { total: 12, started: 5, failed: 1, running: true } })];
    await page.getByText('Starting machines: 5 of 12 done. 1 machine did not start.').waitFor();
    expect(await button('Start all machines').getAttribute('aria-disabled')).toBe('true');
    site.instructed = [aClass({ starting: { total: 12, started: 11, failed: 1, running: false } })];
    await page.getByText('11 of 12 machines started. 1 machine did not start.').waitFor();
  });

  test('ends the class in two clicks, and can keep it open', async () => {
    await open();
    await button('End class').click();
    await page.getByRole('dialog').getByText('End Networks in one minute?').waitFor();
    expect(site.classActions).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'End class' }).click();
    await acted({ action: 'end', seconds: 60 });
    site.instructed = [aClass({ ending: { at: new Date(Date.now() + 60_000).toISOString() } })];
    await button('Keep the class open').click();
    await acted({ action: 'end', seconds: 60 }, { action: 'cancel_end' });
  });

  test('does not end the class after Escape', async () => {
    await open();
    await button('End class').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(site.classActions).toEqual([]);
  });

  test('offers only what the user may do', async () => {
    site.instructed = [aClass({ may: ['message', 'lower'] })];
    await open();
    for (const name of ['Pause all', 'Start all machines', 'End class'])
      expect(await button(name).count()).toBe(0);
  });

  test('says that an action has failed, until the message is closed', async () => {
    site.classReply = { status: 503, code: 'store_unavailable' };
    await open();
    await button('Pause all').click();
    await page.getByText('The request failed.').waitFor();
    await button('Close').click();
    await page.getByText('The request failed.').waitFor({ state: 'detached' });
  });

  test('changes between classes, and keeps the class in the address', async () => {
    site.instructed = [
      aClass(),
      aClass({ name: 'databases', title: 'Databases', seats: [aSeat('zoe', 301)] }),
    ];
    await open();
    await button('Databases').click();
    await page.getByRole('heading', { name: 'Databases' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Databases' }).waitFor();
    await button('Pause all').click();
    await eventually('the right class is paused', () => site.classActions[0]?.name === 'databases');
  });

  test('shows the first class if the address names one that is gone', async () => {
    await open('/classes?class=gone');
    await page.getByRole('heading', { name: 'Networks' }).waitFor();
  });

  test('offers every action to the keyboard alone', async () => {
    const hand = { position: 1, since: minutesAgo(1), text: '' };
    site.instructed = [
      aClass({ seats: [aSeat('ada', 101, { help: hand }), aSeat('dora', 104, { state: 'off' })] }),
    ];
    await open();
    /** Goes to a control by the tab key, and presses Enter. */
    async function press(name: string): Promise<void> {
      const wanted = button(name).first();
      for (let tabs = 0; tabs < 40; tabs++) {
        if (await wanted.evaluate((element) => element === document.activeElement)) break;
        await page.keyboard.press('Tab');
      }
      await page.keyboard.press('Enter');
    }
    await press('Pause all');
    await eventually('paused', () => site.classActions.length === 1);
    await press('Start all machines');
    await eventually('started', () => site.classActions.length === 2);
    await press('Done with ada');
    await eventually('lowered', () => site.classActions.length === 3);
    await press('Message to ada');
    await page.keyboard.type('Well done.');
    await page.keyboard.press('Enter');
    await eventually('sent', () => site.classActions.length === 4);
    await press('Show to class: ada');
    await eventually('shown', () => site.classActions.length === 5);
    await press('Look at ada');
    await page.getByRole('dialog', { name: 'ada' }).waitFor();
    await page.keyboard.press('Escape');
    await press('End class');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await eventually('ended', () => site.classActions.length === 6);
    expect(site.classActions.map(({ body }) => body['action'])).toEqual([
      'pause',
      'start',
      'lower',
      'message',
      'show',
      'end',
    ]);
  });

  test('shows a screen to the class at one click, says so, and stops it', async () => {
    await open();
    await button('Show to class: ben').click();
    await acted({ action: 'show', cluster: 'lab', vmid: 102 });
    // dora's machine is off.
    expect(await button('Show to class: dora').count()).toBe(0);
    site.instructed = [
      aClass({
        shown: {
          cluster: 'lab',
          vmid: 102,
          name: 'ben',
          by: 'Ina',
          until: new Date(Date.now() + 3_600_000).toISOString(),
        },
      }),
    ];
    await page.getByText('Ina shows ben to all members.').waitFor();
    await takePicture({ page }, 'showing');
    expect(await accessibilityFaults(page)).toEqual([]);
    // By the keyboard alone.
    await page.getByRole('button', { name: 'Stop showing', exact: true }).focus();
    await page.keyboard.press('Enter');
    await acted({ action: 'show', cluster: 'lab', vmid: 102 }, { action: 'stop_showing' });
    site.instructed = [aClass()];
    await page.getByText('Ina shows ben to all members.').waitFor({ state: 'detached' });
  });

  test('says what happens around lessons, and that a lesson begins', async () => {
    site.instructed = [
      aClass({
        lesson: { next: { from: new Date(Date.now() + 2000).toISOString() } },
        timetable: { startMinutes: 10, shutdownMinutes: 30 },
      }),
    ];
    await open();
    await page.getByText(/^Machines start 10 minutes before each lesson/).waitFor();
    const news = page.locator('.lesson-news[role=status]');
    await news.getByText(/^Networks: the lesson begins at/).waitFor();
    await takePicture({ page }, 'lesson-begins');
    await news.getByText('Networks: the lesson has begun.').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  test('tells members on their list of machines that a lesson ends', async () => {
    const until = new Date(Date.now() + 4 * 60_000).toISOString();
    site.instructed = [aClass({ role: 'member', may: [], lesson: { now: { until } } })];
    await page.goto(site.origin);
    await page
      .locator('.lesson-news')
      .getByText(/^Networks: the lesson ends at/)
      .waitFor();
    await takePicture({ page }, 'lesson-ends-machines');
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  test('says when the lesson ends', async () => {
    const until = new Date();
    until.setHours(23, 59, 0, 0);
    site.instructed = [aClass({ lesson: { now: { until: until.toISOString() } } })];
    await open();
    await page.getByText(/The lesson ends at/).waitFor();
  });

  test.each(screens)('fits %s', async (name, options) => {
    await page.context().close();
    ({ page, faults } = await browser.open(options));
    site.instructed = [
      aClass({
        seats: Array.from({ length: 12 }, (_, index) =>
          aSeat(`student-${index}`, 100 + index, {
            ...(index === 4 ? { help: { position: 1, since: minutesAgo(2), text: 'My disk is full' } } : {}),
            state: index % 5 === 1 ? 'off' : 'open',
          }),
        ),
      }),
    ];
    await open();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(options.viewport?.width);
    for (const each of ['Pause all', 'Send to all', 'Start all machines', 'End class'])
      expect(await button(each).isVisible()).toBe(true);
    await takePicture({ page }, name);
  });
});
