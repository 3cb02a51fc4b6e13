import type { CDPSession } from 'playwright-core';
import { describeWith } from '../../../needs.ts';
import { until, useConsole } from '../use-console.ts';

type Point = readonly [x: number, y: number];

const buttons = { left: 1, middle: 2, right: 4, wheelUp: 8, wheelDown: 16 } as const;
const control = 0xffe3;

describeWith('chromium')('on a tablet', () => {
  const fixture = useConsole({ viewport: { width: 820, height: 1180 }, isMobile: true, hasTouch: true });
  let session: CDPSession;

  const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', points: readonly Point[]) =>
    session.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: points.map(([x, y], id) => ({ x, y, id })),
    });

  /** Puts fingers down, one after the other, moves them in steps, and lifts them. */
  async function touch(from: readonly Point[], to?: readonly Point[]): Promise<void> {
    for (let fingers = 1; fingers <= from.length; fingers += 1)
      await send('touchStart', from.slice(0, fingers));
    if (to) {
      for (let step = 1; step <= 10; step += 1) {
        await send(
          'touchMove',
          from.map(([x, y], finger) => {
            const [toX, toY] = to[finger] ?? [x, y];
            return [x + ((toX - x) * step) / 10, y + ((toY - y) * step) / 10];
          }),
        );
      }
    }
    await send('touchEnd', []);
  }

  const masks = () => fixture.received(5).map(({ bytes }) => bytes.readUInt8(1));
  /** The buttons that were pressed since then, and that none is down. */
  async function pressed(since: number, expected: number): Promise<void> {
    await until(() => masks().slice(since).includes(expected) && masks().at(-1) === 0);
    expect(new Set(masks().slice(since))).toEqual(new Set([expected, 0]));
  }

  test('the gestures that noVNC knows reach the machine, and the page neither scrolls nor zooms', async () => {
    await fixture.open();
    const { page } = fixture;
    session = await page.context().newCDPSession(page);
    const box = await page.locator('#screen canvas').boundingBox();
    if (!box) throw new Error('there is no screen');
    const at = (x: number, y: number): Point => [box.x + box.width * x, box.y + box.height * y];
    let since = masks().length;
    const next = () => (since = masks().length);

    await touch([at(0.5, 0.5)]);
    await pressed(since, buttons.left);
    const tap = fixture.received(5).find(({ bytes }) => bytes.readUInt8(1) === buttons.left)?.bytes;
    expect([tap?.readUInt16BE(2), tap?.readUInt16BE(4)]).toEqual([32, 24]);

    next();
    await touch([at(0.4, 0.5), at(0.6, 0.5)]);
    await pressed(since, buttons.right);

    next();
    await touch([at(0.3, 0.5), at(0.5, 0.5), at(0.7, 0.5)]);
    await pressed(since, buttons.middle);

    next();
    await touch([at(0.2, 0.2)], [at(0.8, 0.8)]);
    await pressed(since, buttons.left);
    const places = fixture
      .received(5)
      .slice(since)
      .filter(({ bytes }) => bytes.readUInt8(1) === buttons.left)
      .map(({ bytes }) => bytes.readUInt16BE(2));
    expect(Math.max(...places) - Math.min(...places)).toBeGreaterThan(20);

    next();
    await send('touchStart', [at(0.5, 0.5)]);
    await until(() => masks().slice(since).includes(buttons.right));
    await send('touchEnd', []);
    await pressed(since, buttons.right);

    next();
    await touch([at(0.4, 0.3), at(0.6, 0.3)], [at(0.4, 0.9), at(0.6, 0.9)]);
    await pressed(since, buttons.wheelUp);

    next();
    await touch([at(0.45, 0.5), at(0.55, 0.5)], [at(0.1, 0.5), at(0.9, 0.5)]);
    await pressed(since, buttons.wheelUp);
    const keys = fixture.received(4).map(({ bytes }) => [bytes.readUInt32BE(4), bytes.readUInt8(1)]);
    expect(keys[0]).toEqual([control, 1]);
    expect(keys.at(-1)).toEqual([control, 0]);

    const view = await page.evaluate(() => ({
      scale: visualViewport?.scale,
      scrolled: window.scrollY + window.scrollX,
    }));
    expect(view).toEqual({ scale: 1, scrolled: 0 });
  });

  test('the screen keyboard types with the layout of the machine', async () => {
    await fixture.open();
    const { page } = fixture;
    await page.getByRole('button', { name: 'Keyboard', exact: true }).tap();
    await page.getByLabel('Keyboard layout in the machine').selectOption('linux:fr');
    // The on-screen keyboard stays open.
    await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
    await page.keyboard.insertText('1é@');
    await until(() => fixture.keysDown().length === 5);
    expect(fixture.keysDown()).toEqual([0xffe1, 0x31, 0xe9, 0xfe03, 0x40]);
    await page.keyboard.insertText('я');
    await page.getByText('French has no key for я').waitFor();
  });
});
