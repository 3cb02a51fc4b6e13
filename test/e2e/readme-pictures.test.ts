import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@porthole/shared/time/clock';
import { createLifecycle, type Lifecycle } from '@porthole/shared/process/lifecycle';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createStandalone } from '@porthole/standalone/standalone';
import { demoConfig, startDemoProxmox } from '../demo/demo.ts';
import { startDemoMembers } from '../demo/members.ts';
import { eventually } from '../eventually.ts';
import type { Picture } from '../fakes/guests/ppm.ts';
import type { FakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';
import { freePort } from '../free-port.ts';
import { describeWith } from '../needs.ts';
import { openBrowserUser, signInHere, type BrowserUser } from './browser-user.ts';
import { useBrowser } from './scene.ts';

const from = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Keeps clones small. */
const maxBytes = 300 * 1024;

/** Takes a screenshot. With PORTHOLE_SCREENSHOTS=1 it replaces the picture of the README or of a page of docs. */
async function takePicture({ page }: BrowserUser, name: string): Promise<void> {
  const picture = await page.screenshot();
  expect(picture.length).toBeLessThan(maxBytes);
  // An empty page compresses to less.
  expect(picture.length).toBeGreaterThan(20_000);
  if (process.env['PORTHOLE_SCREENSHOTS'] !== '1') return;
  await mkdir(from('docs/images'), { recursive: true });
  await writeFile(from(`docs/images/${name}.png`), picture);
}

async function finishAnimations({ page }: BrowserUser): Promise<void> {
  await page.evaluate(() => {
    for (const animation of document.getAnimations())
      if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
  });
}

/** Whether the screen shows the lighthouse that the command `about` draws. */
function hasWarmLight(picture: Picture): boolean {
  let warm = 0;
  for (let at = 0; at < picture.data.length; at += 3) if (picture.data.readUIntBE(at, 3) === 0xf2cc60) warm++;
  return warm > 200;
}

describeWith('chromium')('the pictures of the README', () => {
  const browser = useBrowser();
  let proxmox: FakeProxmox;
  let lifecycle: Lifecycle;
  let origin: string;
  let person: BrowserUser;

  beforeAll(async () => {
    const port = await freePort();
    origin = `http://127.0.0.1:${port}`;
    proxmox = await startDemoProxmox();
    const log = createLog({ service: 'demo', level: 'silent' });
    const { components: parts } = createStandalone({
      config: await demoConfig(proxmox, port),
      clock: systemClock,
      random: systemRandom,
      log,
      registry: createRegistry(),
      pagesDir: from('services/broker/web/dist'),
    });
    lifecycle = createLifecycle({ clock: systemClock, log, components: parts });
    await lifecycle.start();
  });
  beforeEach(async () => {
    person = await openBrowserUser(browser(), origin);
  });
  afterEach(async () => {
    await person.close();
    expect(person.faults).toEqual([]);
  });
  afterAll(async () => {
    await lifecycle.stop();
    await proxmox.close();
  });

  async function signIn(name: string): Promise<void> {
    await person.page.goto(origin);
    await signInHere(person, name, 'porthole');
  }

  test('the machines of a class', async () => {
    await signIn('instructor');
    await person.page.getByRole('link', { name: 'student-desktop' }).waitFor();
    await person.page.mouse.move(1270, 400);
    await takePicture(person, 'machines');
  });

  test('a console', async () => {
    await signIn('student');
    await person.page.getByRole('link', { name: 'student-desktop' }).click();
    await person.waitForState('open');
    await eventually('the machine has booted and shows the lighthouse', async () => {
      await person.type('clear\nhelp\nabout\n');
      return hasWarmLight(await person.picture());
    });
    await person.page.mouse.move(640, 1);
    await takePicture(person, 'console');
  });

  test('a class in session', async () => {
    const members = startDemoMembers(origin);
    try {
      await members.ready;
      await signIn('instructor');
      await person.page.getByRole('link', { name: 'Classes' }).click();
      await person.page.getByText('My disk is full').waitFor();
      await person.page.getByText('9 of 12 seats with an open console, 2 raised hands').waitFor();
      await person.page.locator('[data-picture=live]').nth(3).waitFor();
      await takePicture(person, 'class');
      await person.page.getByRole('button', { name: 'Look at Carla Reis' }).click();
      await person.page.locator('.large-view-stage[data-state=open]').waitFor();
      await eventually('the screen is drawn', async () => {
        const colours = await person.page.locator('.large-view-screen canvas').evaluate((canvas) => {
          const { width, height } = canvas as HTMLCanvasElement;
          const pixels = (canvas as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, width, height);
          return new Set(new Uint32Array(pixels?.data.buffer ?? new ArrayBuffer(0))).size;
        });
        expect(colours).toBeGreaterThan(4);
      });
      await finishAnimations(person);
      await takePicture(person, 'large-view');
      await person.page.keyboard.press('Escape');
      await person.page.getByLabel('Text while paused').fill('Please look at the board.');
      const student = await openBrowserUser(browser(), origin);
      await student.page.goto(origin);
      await signInHere(student, 'student', 'porthole');
      await student.page.getByRole('link', { name: 'student-desktop' }).click();
      await student.waitForState('open');
      await person.page.getByRole('button', { name: 'Pause all' }).click();
      await student.hasHeading('Ina Instructor has paused the class');
      await finishAnimations(student);
      await takePicture(student, 'paused');
      await person.page.getByRole('button', { name: 'Resume' }).click();
      await student.page.locator('[data-paused]').waitFor({ state: 'detached' });
      await student.close();
      expect(student.faults).toEqual([]);
    } finally {
      await members.stop();
    }
  });
});
