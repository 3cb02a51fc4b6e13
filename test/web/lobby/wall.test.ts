import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { eventually } from '../../eventually.ts';
import { describeWith } from '../../needs.ts';
import { takePicture } from '../../take-picture.ts';
import { accessibilityFaults } from '../axe.ts';
import { startBrowser, type Browser } from '../browser.ts';
import { aClass, aSeat } from '../site-data.ts';
import type { Site } from '../site-state.ts';
import { startSite } from '../site.ts';
import { openClassPage, scrollWall } from './scroll-wall.ts';

let browser: Browser;
let site: Site;
let page: Page;
let faults: string[];

const size = { width: 320, height: 200 };
const jpegOf = (colour: string) =>
  sharp({ create: { ...size, channels: 3, background: colour } })
    .jpeg()
    .toBuffer();

const seats = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    aSeat(`student-${String(index).padStart(2, '0')}`, 100 + index),
  );
const tiles = () => page.locator('button.seat-picture');
/** The colour in the middle of a tile. */
const colourOf = (index: number) =>
  tiles()
    .nth(index)
    .locator('canvas')
    .evaluate((canvas: HTMLCanvasElement) => {
      const { width, height } = canvas;
      const data = canvas.getContext('2d')?.getImageData(width / 2, height / 2, 1, 1).data;
      return data ? [...data].slice(0, 3).map((value) => Math.round(value / 32)) : [];
    });

describeWith('chromium')('the wall of a class', () => {
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.stop());
  beforeEach(async () => {
    site = await startSite();
    ({ page, faults } = await browser.open({ viewport: { width: 1280, height: 720 } }));
  });
  afterEach(async () => {
    await page.context().close();
    await site.stop();
    expect(faults).toEqual([]);
  });

  const open = (count: number) => openClassPage(site, page, count);

  test('shows the picture of each seat, and replaces it when there is a new one', async () => {
    const wall = await open(3);
    wall.picture(0, size, await jpegOf('#ff0000'));
    wall.state(0, 'live');
    wall.picture(2, size, await jpegOf('#0000ff'));
    await eventually('both are drawn', async () => {
      expect([await colourOf(0), await colourOf(2)]).toEqual([
        [8, 0, 0],
        [0, 0, 8],
      ]);
    });
    wall.picture(0, size, await jpegOf('#ffffff'));
    await eventually('the new one is drawn', async () => expect(await colourOf(0)).toEqual([8, 8, 8]));
    expect(await tiles().nth(0).getAttribute('aria-label')).toBe('Look at student-00: live');
  });

  test('says why a seat has no picture, and marks one that is not live', async () => {
    const wall = await open(4);
    wall.state(0, 'opening');
    wall.state(1, 'off');
    wall.state(2, 'failed');
    wall.picture(3, size, await jpegOf('#00ff00'));
    wall.state(3, 'live');
    await page.locator('[data-picture="live"]').waitFor();
    wall.state(3, 'opening');
    await eventually('each seat says its state', async () => {
      expect(await tiles().locator('span').allTextContents()).toEqual([
        'Connecting…',
        'The machine is off',
        'No picture',
        'Reconnecting…',
      ]);
    });
  });

  test('asks for the seats that are visible only, and for none while the page is hidden', async () => {
    const wall = await open(60);
    const first = wall.shown.at(-1) ?? [];
    expect(first).toContain(0);
    expect(first.length).toBeLessThan(30);
    await page.mouse.wheel(0, 100_000);
    await eventually('it asks for the last seats', () => {
      expect(wall.shown.at(-1)).toContain(59);
      expect(wall.shown.at(-1)).not.toContain(0);
    });
    await page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await eventually('it asks for none', () => expect(wall.shown.at(-1)).toEqual([]));
  });

  test('scrolls smoothly while 60 seats change', async () => {
    const wall = await openClassPage(site, page, 60);
    const { longTaskMs, frameMs } = await scrollWall(page, wall, 120);
    // A task of the page that takes longer than some frames. How fast this computer draws is not the page's.
    expect(longTaskMs.filter((ms) => ms > 200)).toEqual([]);
    expect(frameMs).toHaveLength(120);
  });

  test('is reached by the keyboard: one stop for Tab, arrow keys between seats, Enter opens the large view', async () => {
    await open(8);
    await tiles().nth(0).focus();
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    await page.keyboard.press('ArrowRight');
    expect(await focused()).toBe('Look at student-01: no picture');
    await page.keyboard.press('ArrowDown');
    const columns = await page.evaluate(
      () =>
        getComputedStyle(document.querySelector('.seats') as Element).gridTemplateColumns.split(' ').length,
    );
    expect(await focused()).toBe(`Look at student-0${1 + columns}: no picture`);
    await page.keyboard.press('ArrowUp');
    expect(await focused()).toBe('Look at student-01: no picture');
    await page.keyboard.press('End');
    expect(await focused()).toBe('Look at student-07: no picture');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowLeft');
    expect(await focused()).toBe('Look at student-00: no picture');
    expect(await page.locator('button.seat-picture[tabindex="0"]').count()).toBe(1);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'student-00' }).waitFor();
    await page.keyboard.press('ArrowRight');
    await page.getByRole('dialog', { name: 'student-01' }).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    // Where the user was last. The focus follows the dialog's end.
    await page.locator('[aria-label="Look at student-01: no picture"]:focus').waitFor();
    expect(await page.evaluate(() => document.activeElement?.getAttribute('tabindex'))).toBe('0');
  });

  test('opens the large view of a seat at one click on its picture', async () => {
    await open(3);
    await tiles().nth(1).click();
    await page.getByRole('dialog', { name: 'student-01' }).waitFor();
    await page.locator('.large-view-stage[data-state=open]').waitFor();
    expect(site.grants).toMatchObject([{ vmid: '101' }]);
  });

  test('asks for the class at once when it has changed', async () => {
    await page.clock.install();
    const wall = await open(2);
    // From here on, no timer of the page runs.
    await page.clock.pauseAt(Date.now() + 1000);
    const help = { position: 1, since: new Date().toISOString(), text: 'My disk is full' };
    site.instructed = [aClass({ seats: [aSeat('ada', 100), aSeat('ben', 101, { help })] })];
    wall.change();
    await page.locator('.seat').first().getByText('My disk is full').waitFor();
  });

  describe('shows every half minute that its user still has the right', () => {
    /** As much time as that, in steps in which the wall can answer pings. */
    async function halfAMinute() {
      for (let step = 0; step < 8; step++) {
        await page.clock.runFor(4000);
        await page.evaluate(() => fetch('/api/v1/me'));
      }
    }
    beforeEach(() => page.clock.install());

    test('and goes on', async () => {
      const wall = await open(2);
      await halfAMinute();
      await eventually('the wall is renewed', () => expect(wall.renewed).toEqual(['token']));
      expect(site.renewals).toEqual(['wall-1']);
      expect(site.walls).toHaveLength(1);
    });

    test('and closes the wall without it', async () => {
      const wall = await open(2);
      site.wallReply = { status: 403, code: 'not_allowed' };
      await halfAMinute();
      await eventually('the wall is closed', () => wall.socket.readyState === 3);
      expect(wall.renewed).toEqual([]);
    });

    test('but not while it is hidden, when a wall that has ended stays closed until the user returns', async () => {
      const wall = await open(2);
      const show = (state: string) =>
        page.evaluate((now) => {
          Object.defineProperty(document, 'visibilityState', { value: now, configurable: true });
          document.dispatchEvent(new Event('visibilitychange'));
        }, state);
      await show('hidden');
      await halfAMinute();
      wall.socket.close(4401);
      await halfAMinute();
      expect([site.renewals, site.walls.length]).toEqual([[], 1]);
      await show('visible');
      await eventually('there is another wall', () => site.walls.length === 2);
    });
  });

  test('connects again with a new grant when its relay drains', async () => {
    const wall = await open(2);
    wall.picture(0, size, await jpegOf('#ff0000'));
    wall.state(0, 'live');
    await page.locator('[data-picture="live"]').waitFor();
    wall.socket.close(1012);
    const next = await eventually('there is another wall', () => site.walls.length === 2 && site.walls[1]);
    await eventually('it shows the same seats', () => expect(next?.shown.at(-1)).toEqual([0, 1]));
    // Until the next one comes, the last picture stays.
    expect(await colourOf(0)).toEqual([8, 0, 0]);
  });

  test('stays closed after an operator has ended it', async () => {
    const wall = await open(2);
    wall.socket.close(4423);
    await page.waitForTimeout(2500);
    expect(site.walls).toHaveLength(1);
  });

  test('opens again with the seats of machines that the class did not have before', async () => {
    await open(2);
    site.instructed = [aClass({ seats: seats(3) })];
    const next = await eventually('there is another wall', () => site.walls.length === 2 && site.walls[1]);
    await eventually('it shows the new seat, too', () => expect(next?.shown.at(-1)).toEqual([0, 1, 2]));
  });

  test('is a list without pictures if the user may not have a wall', async () => {
    site.wallReply = { status: 403, code: 'not_allowed' };
    site.instructed = [aClass({ seats: seats(2) })];
    await page.goto(`${site.origin}/classes`);
    await page.getByText('student-01').first().waitFor();
    expect(site.walls).toEqual([]);
    expect(await tiles().count()).toBe(2);
  });

  test.each([
    ['light', { colorScheme: 'light', viewport: { width: 1280, height: 720 } }],
    ['dark', { colorScheme: 'dark', viewport: { width: 1280, height: 720 } }],
    ['tablet', { viewport: { width: 820, height: 1180 }, hasTouch: true }],
  ] as const)('has no accessibility problem that axe finds, and fits: %s', async (name, options) => {
    await page.context().close();
    ({ page, faults } = await browser.open(options));
    const wall = await open(12);
    for (let seat = 0; seat < 12; seat++) {
      if (seat === 4) wall.state(seat, 'failed');
      else if (seat === 5) wall.state(seat, 'opening');
      else {
        wall.picture(seat, size, await jpegOf(`hsl(${seat * 30}, 40%, 40%)`));
        wall.state(seat, 'live');
      }
    }
    await eventually(
      'the pictures are there',
      async () => (await page.locator('[data-picture="live"]').count()) > 3,
    );
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(options.viewport.width);
    expect(await accessibilityFaults(page)).toEqual([]);
    await takePicture({ page }, `wall-${name}`);
    if (name === 'tablet') await tiles().nth(1).tap();
    else await tiles().nth(1).click();
    await page.getByRole('dialog', { name: 'student-01' }).waitFor();
    await page.locator('.large-view-stage[data-state=open]').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    const box = await page.getByRole('dialog').boundingBox();
    expect(box && box.x >= 0 && box.x + box.width <= options.viewport.width).toBe(true);
  });
});
