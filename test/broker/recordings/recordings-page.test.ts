import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { likeness, withoutFourth } from '../../e2e/pictures.ts';
import { eventually } from '../../eventually.ts';
import type { Picture } from '../../fakes/guests/ppm.ts';
import { rgb } from '../../fakes/guests/framebuffer.ts';
import { startScreen } from '../../fakes/recordings/screen-script.ts';
import { startSharedScreen } from '../../fakes/recordings/shared-screen-script.ts';
import { terminalPart, writeRecording, type RecordedPart } from '../../fakes/recordings/write-recording.ts';
import { describeWith } from '../../needs.ts';
import { takePicture } from '../../take-picture.ts';
import { accessibilityFaults } from '../../web/axe.ts';
import { startBrowser, type Browser } from '../../web/browser.ts';
import { closeBrokers, password } from '../rig.ts';
import { aRecording, lessonAt, removeDirectories, startRecordings, type RecordingsRig } from './fixtures.ts';

const pagesDir = fileURLToPath(new URL('../../../services/broker/web/dist', import.meta.url));
const minute = 60_000;

/** Ten minutes of typing with a pause, and the pictures that the machine had at two times. */
function desktop(pictures: Map<number, Picture>): RecordedPart['write'] {
  return (writer, at) => {
    const screen = startScreen(writer);
    screen.framebuffer.fill(0, 0, 640, 400, rgb(0x101820));
    screen.framebuffer.fill(0, 0, 640, 16, rgb(0x2f5d66));
    screen.text(1, 0, 'lab-anna');
    screen.update();
    for (let second = 1; second <= 600; second++) {
      at(second * 1000);
      // Nothing happens in the fourth and fifth minute.
      if (second < 180 || second > 300) {
        writer.record({ type: 'key' });
        const row = 2 + (second % 22);
        screen.framebuffer.fill(0, row * 16, 640, 16, rgb(0x101820));
        screen.text(2, row, `line ${second} of the exam`);
        screen.update();
      }
      if (second === 60 || second === 540) pictures.set(second, screen.picture());
    }
  };
}

/** With PORTHOLE_SCREENSHOTS=1, replaces the picture of docs/recordings.md. */
async function keepForDocs(page: Page): Promise<void> {
  const picture = await page.screenshot();
  expect(picture.length).toBeLessThan(300 * 1024);
  if (process.env['PORTHOLE_SCREENSHOTS'] !== '1') return;
  await writeFile(new URL('../../../docs/images/recording.png', import.meta.url), picture);
}

describeWith('chromium')('recordings in the browser', () => {
  let browser: Browser;
  let recordings: RecordingsRig;
  const pictures = new Map<number, Picture>();
  const ids = { screen: '', terminal: '', damaged: '' };

  beforeAll(async () => {
    browser = await startBrowser();
    recordings = await startRecordings({ pagesDir });
    const { storage, directory } = recordings;
    const parts = [{ write: desktop(pictures) }];
    const [screen] = await writeRecording(storage, { startedAt: lessonAt + minute, parts });
    const [damaged] = await writeRecording(storage, {
      startedAt: lessonAt,
      parts: [{ write: desktop(new Map()) }],
    });
    ids.screen = screen?.recording ?? '';
    ids.damaged = damaged?.recording ?? '';
    await rm(join(directory, ids.damaged, damaged?.part ?? '', '000002'));
    ids.terminal = await aRecording(storage, {
      startedAt: lessonAt + 2 * minute,
      facts: { class: 'networks' },
      parts: [
        { write: terminalPart(['first line', 'second line']), end: 'moved' },
        { write: terminalPart(['after the move']), startsAfterMs: 10_000 },
      ],
    });
    expect(await readdir(directory)).toHaveLength(3);
  });
  afterAll(async () => {
    await browser.stop();
    await closeBrokers();
    await removeDirectories();
  });

  async function openAs(name: string, path: string, options = {}) {
    const origin = `http://127.0.0.1:${recordings.rig.port}`;
    const opened = await browser.open(options);
    const { page, context } = opened;
    const signedIn = await context.request.post(`${origin}/api/v1/login`, {
      data: { username: name, password },
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    expect(signedIn.status()).toBe(200);
    await page.goto(`${origin}${path}`);
    return opened;
  }

  const player = (page: Page) => page.locator('.player');
  /** The player shows this time. */
  const isAt = (page: Page, ms: number) =>
    player(page)
      .and(page.locator(`[data-ms="${ms}"][data-busy="false"]`))
      .waitFor();

  async function seekBy(page: Page, share: number): Promise<void> {
    const box = await page.getByRole('slider', { name: 'Time' }).boundingBox();
    if (!box) throw new Error('There is no bar.');
    await page.mouse.click(box.x + box.width * share, box.y + box.height / 2);
  }

  async function shownPicture(page: Page): Promise<Picture> {
    const { width, height, pixels } = await page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('.player-target canvas');
      if (!canvas) throw new Error('There is no screen.');
      const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {};
      let text = '';
      for (let at = 0; at < (data?.length ?? 0); at += 8192)
        text += String.fromCharCode(...(data?.subarray(at, at + 8192) ?? []));
      return { width: canvas.width, height: canvas.height, pixels: btoa(text) };
    });
    return withoutFourth({ width, height, data: Buffer.from(pixels, 'base64') });
  }

  test('the list shows who, where and when, and finds by user and class', async () => {
    const { page, faults, context } = await openAs('ada', '/');
    await page.getByRole('link', { name: 'Recordings' }).click();
    await page.getByRole('list', { name: 'Recordings' }).waitFor();
    const rows = page.locator('[data-recording]');
    expect(await rows.evaluateAll((all) => all.map((one) => one.getAttribute('data-recording')))).toEqual([
      ids.terminal,
      ids.screen,
      ids.damaged,
    ]);
    expect(await rows.nth(2).innerText()).toContain('damaged');
    expect(await rows.nth(1).innerText()).toMatch(/Anna Example[^]*lab-anna 101[^]*10:00/);
    expect(await accessibilityFaults(page)).toEqual([]);
    await takePicture({ page }, 'recordings');
    await page.getByLabel('Class').fill('networks');
    await page.keyboard.press('Enter');
    await eventually(async () => expect(await rows.count()).toBe(1));
    await page.getByLabel('User').fill('someone else');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText('No matching recordings').waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    await eventually(async () => expect(await rows.count()).toBe(3));
    expect(faults).toEqual([]);
    await context.close();
  });

  test('a user without the right has no link to recordings, and gets none', async () => {
    const { page, context } = await openAs('eve', '/recordings');
    await page.getByText('The recordings could not be loaded').waitFor();
    expect(await page.getByRole('link', { name: 'Recordings' }).count()).toBe(0);
    await page.goto(page.url().replace(/\/recordings$/, `/recordings/${ids.screen}`));
    await page.getByText('The recording could not be opened').waitFor();
    await context.close();
  });

  test('a screen shows what the machine showed, forward and backward in time', async () => {
    const { page, faults, context } = await openAs('ada', `/recordings/${ids.screen}`);
    await isAt(page, 0);
    const slider = page.getByRole('slider', { name: 'Time' });
    await seekBy(page, 540.5 / 600);
    await eventually(async () => {
      expect(Math.abs(Number(await slider.getAttribute('aria-valuenow')) - 540)).toBeLessThanOrEqual(2);
      expect(await player(page).getAttribute('data-busy')).toBe('false');
    });
    // To exact times by keyboard.
    await page.keyboard.press('End');
    await isAt(page, 600_000);
    await page.keyboard.press('PageDown');
    await isAt(page, 540_000);
    expect(likeness(await shownPicture(page), pictures.get(540) as Picture)).toBe(1);
    expect(await slider.getAttribute('aria-valuetext')).toBe('9 minutes of 10 minutes');
    expect(await accessibilityFaults(page)).toEqual([]);
    await keepForDocs(page);
    await takePicture({ page }, 'recording');
    await page.keyboard.press('Home');
    await isAt(page, 0);
    await page.keyboard.press('PageUp');
    await isAt(page, 60_000);
    expect(likeness(await shownPicture(page), pictures.get(60) as Picture)).toBe(1);
    await page.keyboard.press(' ');
    await eventually(async () =>
      expect(Number(await player(page).getAttribute('data-ms'))).toBeGreaterThan(60_500),
    );
    await page.keyboard.press(' ');
    await player(page).and(page.locator('[data-playing="false"]')).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });

  test('the end of a shared screen is shown from its last complete picture', async () => {
    const shown: Picture[] = [];
    const write: RecordedPart['write'] = (writer, setTime) => {
      let now = 0;
      const at = (ms: number) => setTime((now = ms));
      const screen = startSharedScreen(writer, () => now, 640, 400);
      for (let second = 1; second <= 25 * 60; second += 10) {
        at(second * 1000);
        screen.text(2, 2 + (second % 22), `line ${second} of the exam`);
        screen.update();
      }
      shown.push(screen.picture());
    };
    const { storage, directory } = recordings;
    const [part] = await writeRecording(storage, { startedAt: lessonAt - minute, parts: [{ write }] });
    const id = part?.recording ?? '';
    const { page, faults, context } = await openAs('ada', `/recordings/${id}`);
    await isAt(page, 0);
    const chunks: string[] = [];
    page.on('request', (request) => void chunks.push(request.url()));
    await page.keyboard.press('End');
    await isAt(page, 1_491_000);
    expect(likeness(await shownPicture(page), shown[0] as Picture)).toBe(1);
    // One for each minute, of which those before the keyframe are not needed.
    expect(chunks.length).toBeLessThan(15);
    expect(faults).toEqual([]);
    await context.close();
    await rm(join(directory, id), { recursive: true });
  });

  test('playing at speed skips what is quiet, and ends at the end', async () => {
    const { page, faults, context } = await openAs('ada', `/recordings/${ids.screen}`, {
      viewport: { width: 390, height: 780 },
      colorScheme: 'dark',
    });
    await isAt(page, 0);
    await page.keyboard.press('PageUp');
    await page.keyboard.press('PageUp');
    await page.keyboard.press('PageUp');
    await isAt(page, 180_000);
    await page.getByRole('button', { name: '×16' }).click();
    await page.getByRole('button', { name: 'Skip quiet stretches' }).click();
    await page.getByRole('button', { name: 'Play' }).click();
    await eventually(async () =>
      expect(Number(await player(page).getAttribute('data-ms'))).toBeGreaterThan(300_000),
    );
    await page.getByRole('button', { name: 'Pause' }).click();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(wide).toBeLessThanOrEqual(0);
    expect(await accessibilityFaults(page)).toEqual([]);
    await takePicture({ page }, 'recording-phone');
    expect(faults).toEqual([]);
    await context.close();
  });

  test('a still picture is saved as PNG, and the recording is downloaded', async () => {
    const { page, context } = await openAs('ada', `/recordings/${ids.screen}`);
    await isAt(page, 0);
    const picture = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save picture' }).click();
    expect((await picture).suggestedFilename()).toMatch(/-0s\.png$/);
    const file = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download' }).click();
    expect((await file).suggestedFilename()).toBe(`porthole-${ids.screen}.phrx`);
    await context.close();
  });

  test('a key that is pressed while the player loads counts', async () => {
    const { page, faults, context } = await openAs('ada', '/recordings');
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await page.route(/screen-surface/, async (route) => {
      await released;
      await route.continue();
    });
    await page.goto(`${page.url()}/${ids.screen}`);
    await page.getByRole('slider', { name: 'Time' }).waitFor();
    await page.keyboard.press('End');
    release();
    await isAt(page, 600_000);
    expect(faults).toEqual([]);
    await context.close();
  });

  test('a terminal shows its text, over the parts of a recording', async () => {
    const { page, faults, context } = await openAs('ina', `/recordings/${ids.terminal}`);
    await isAt(page, 0);
    const text = () => page.locator('.xterm-rows').innerText();
    await page.keyboard.press('End');
    await isAt(page, 3000);
    await eventually(async () => expect(await text()).toContain('after the move'));
    expect(await text()).not.toContain('first line');
    await page.keyboard.press('Home');
    await isAt(page, 0);
    await eventually(async () => expect((await text()).trim()).toBe(''));
    await page.getByText('1 event').click();
    expect(await page.locator('.player-moments li').innerText()).toContain('Part 2');
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(await page.getByRole('button', { name: 'Delete' }).count()).toBe(0);
    expect(faults).toEqual([]);
    await context.close();
  });

  test('a damaged recording plays what is left, and says what is missing', async () => {
    const { page, faults, context } = await openAs('ada', `/recordings/${ids.damaged}`);
    await isAt(page, 0);
    await page.getByText('1 event, with damage').click();
    expect(await page.locator('.player-moments li').innerText()).toContain('A piece is missing');
    expect(await page.getByText(/missing or damaged\. The picture can be wrong or stand still/).count()).toBe(
      0,
    );
    await page.keyboard.press('End');
    await page.getByText(/missing or damaged\. The picture can be wrong or stand still/).waitFor();
    await takePicture({ page }, 'recording-damaged');
    expect(faults).toEqual([]);
    await context.close();
  });
});
