import type { BrowserContextOptions } from 'playwright-core';
import { eventually } from '../../eventually.ts';
import { describeWith } from '../../needs.ts';
import { takePicture } from '../../take-picture.ts';
import { useConsole } from '../console/use-console.ts';
import { aClass, aSeat } from '../site-data.ts';

const screens: readonly (readonly [name: string, options: BrowserContextOptions])[] = [
  ['1280x720-dark', { viewport: { width: 1280, height: 720 }, colorScheme: 'dark' }],
  ['tablet', { viewport: { width: 820, height: 1180 }, colorScheme: 'light' }],
];

describeWith('chromium')('the large view of a seat', () => {
  const fixture = useConsole();

  const button = (name: string | RegExp) => fixture.page.getByRole('button', { name });
  const grants = () => fixture.site.grants.map(({ vmid }) => vmid);

  async function open(over: Parameters<typeof aClass>[0] = {}): Promise<void> {
    fixture.site.instructed = [aClass(over)];
    await fixture.page.goto(`${fixture.site.origin}/classes`);
    await button(/^Look at ada/).click();
    await shown();
  }
  const shown = () => fixture.page.locator('.large-view-stage[data-state=open]').waitFor();

  test('goes round the seats whose machines run, and closes the console of each seat that it leaves', async () => {
    await open();
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowLeft']) {
      await fixture.page.keyboard.press(key);
      await shown();
    }
    expect(grants()).toEqual(['101', '102', '103', '101', '103']);
    await fixture.page.keyboard.press('Escape');
    await fixture.page.getByRole('dialog').waitFor({ state: 'detached' });
    await eventually('the console is closed', () => fixture.newest().socket.readyState === 3);
  });

  test('is view-only for users without the right to control', async () => {
    await open({ may: ['message', 'lower'] });
    expect(await button('Take control').count()).toBe(0);
    expect(fixture.site.grants).toMatchObject([{ mode: 'view' }]);
    expect(await fixture.page.getByRole('link', { name: 'Open in own tab' }).getAttribute('href')).toBe(
      '/console/lab/101?mode=view',
    );
  });

  test('sends no keys and no pointer before control, although the relay would permit them', async () => {
    await open();
    await fixture.page.keyboard.type('abc');
    await fixture.page.locator('.large-view-stage').click();
    expect(fixture.newest().received.filter(({ type }) => type === 4 || type === 5)).toEqual([]);
    fixture.newest().sendControl({ type: 'controlled', mine: true });
    await button('Hand back').waitFor();
    await fixture.page.keyboard.type('a');
    await eventually('the key arrives', () => fixture.newest().received.some(({ type }) => type === 4));
  });

  test('leads to a message to the member', async () => {
    await open();
    await fixture.page.getByRole('dialog').getByRole('button', { name: 'Message' }).click();
    await fixture.page.getByRole('dialog').waitFor({ state: 'detached' });
    await fixture.page.keyboard.type('Well done.');
    await button('Send to ada').click();
    await eventually('the broker got the message', () => {
      expect(fixture.site.classActions.map(({ body }) => body)).toMatchObject([{ text: 'Well done.' }]);
    });
  });

  test.each(screens)('fits on %s', async (name, { viewport, colorScheme }) => {
    if (viewport) await fixture.page.setViewportSize(viewport);
    await fixture.page.emulateMedia({ colorScheme: colorScheme ?? 'light' });
    await open({ seats: [aSeat('ada', 101)] });
    const box = await fixture.page.getByRole('dialog').boundingBox();
    expect(box && box.x >= 0 && box.x + box.width <= (viewport?.width ?? 0)).toBe(true);
    expect(box && box.y >= 0 && box.y + box.height <= (viewport?.height ?? 0)).toBe(true);
    await takePicture(fixture, `large-view-${name}`);
  });
});
