import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import type { BrowserUser } from './browser-user.ts';
import { useBrowser, useScene } from './scene.ts';

/** Records what a user would see of a reconnection: cards, and moments without a picture. */
async function watch({
  page,
}: BrowserUser): Promise<() => Promise<{ words: string[]; blanks: number; frames: number }>> {
  await page.evaluate(() => {
    const seen = { words: [] as string[], blanks: 0, frames: 0 };
    Object.assign(window, { seen });
    const probe = document.createElement('canvas');
    const context = probe.getContext('2d', { willReadFrequently: true });
    const isOpaque = (canvas: HTMLCanvasElement | null) => {
      if (!canvas || canvas.hidden || canvas.width === 0 || !context) return false;
      context.clearRect(0, 0, 1, 1);
      context.drawImage(canvas, 0, 0, 1, 1);
      return (context.getImageData(0, 0, 1, 1).data[3] ?? 0) > 0;
    };
    const look = () => {
      seen.frames++;
      const pictures = [...document.querySelectorAll<HTMLCanvasElement>('#screen canvas, #last-frame')];
      if (!pictures.some(isOpaque)) seen.blanks++;
      for (const each of document.querySelectorAll<HTMLElement>('.veil h1'))
        seen.words.push(each.textContent ?? '');
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  return () =>
    page.evaluate(() => Reflect.get(window, 'seen') as { words: string[]; blanks: number; frames: number });
}

/** Clicks on a pixel of the machine's picture, which the page may show in another size. */
async function clickAt(user: BrowserUser, x: number, y: number): Promise<void> {
  const { width } = await user.picture();
  const box = await user.canvas().boundingBox();
  if (!box) throw new Error('the page has no picture');
  const scale = box.width / width;
  await user.canvas().click({ position: { x: (x + 0.5) * scale, y: (y + 0.5) * scale } });
}

/** Whether the pointer is there, up to a pixel of the page, and no button is down. */
const isAt = (pointer: { x: number; y: number; buttons: number }, x: number, y: number) =>
  Math.abs(pointer.x - x) <= 1 && Math.abs(pointer.y - y) <= 1 && pointer.buttons === 0;

describeWith('chromium')('two tabs on one machine', () => {
  const browser = useBrowser();
  const scene = useScene(browser);
  const vncproxyCalls = () =>
    scene.stack.proxmox.calls.filter(({ path }) => path.endsWith('/100/vncproxy')).length;

  test('share one console: the first one notices nothing, and both can type', async () => {
    const { student, stack, one } = scene;
    await student.openConsole(100);
    await student.page.locator('#screen canvas').focus();
    const seen = await watch(student);
    const second = await student.anotherTab();
    await second.openConsole(100);
    await eventually('the first tab has reconnected', () => student.sockets() === 2);
    await student.page.bringToFront();
    await student.waitForState('open');
    await student.page.locator('body[data-interruption=none]').waitFor();
    const { words, blanks, frames } = await seen();
    expect([words, blanks]).toEqual([[], 0]);
    expect(frames).toBeGreaterThan(10);
    await student.type('one');
    await second.page.bringToFront();
    await second.type('two');
    await eventually('the machine has the keys of both', () => one.keys().endsWith('onetwo'));
    await clickAt(second, 200, 100);
    await eventually('the machine has the click', () => isAt(one.pointer(), 200, 100));
    await student.page.bringToFront();
    await student.page.mouse.move(640, 2);
    await student.page.getByRole('button', { name: 'Full screen' }).click();
    await student.page.getByRole('button', { name: 'Leave full screen' }).waitFor();
    await clickAt(student, 300, 200);
    await eventually('the machine has the click', () => isAt(one.pointer(), 300, 200));
    await student.type(' full');
    await eventually('the machine has the keys', () => one.keys().endsWith('full'));
    await student.page.mouse.move(640, 2);
    await student.page.getByRole('button', { name: 'Clipboard' }).click();
    await student.page.locator('#outgoing').fill('a text of the first tab');
    await student.page.getByRole('button', { name: 'Send', exact: true }).click();
    await eventually('the machine has the text', () => one.clipboard() === 'a text of the first tab');
    await eventually('both show the same picture', async () => {
      const [a, b] = [await student.picture(), await second.picture()];
      return a.data.equals(b.data);
    });
    expect([vncproxyCalls(), one.connections(), stack.proxmox.openConsoles(100)]).toEqual([1, 1, 1]);
    await second.close();
  });

  test('stay open when Proxmox drops the console, say so, and are live again', async () => {
    const { student, stack, one } = scene;
    await student.openConsole(100);
    const second = await student.anotherTab();
    await second.openConsole(100);
    await eventually('the first tab has reconnected', () => student.sockets() >= 2);
    await student.waitForState('open');
    const socketsBefore = [student.sockets(), second.sockets()];
    stack.proxmox.dropConsoles(100);
    await second.page.getByText('Reconnecting to the machine…', { exact: true }).waitFor();
    await second.page.locator('body[data-outdated=false]').waitFor();
    expect(await second.page.locator('.screen-mark').textContent()).toBe('');
    await second.type('back');
    await eventually('the machine has the keys', () => one.keys().endsWith('back'));
    expect([student.sockets(), second.sockets()]).toEqual(socketsBefore);
    await second.close();
  });
});
