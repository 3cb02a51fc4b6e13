import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { eventually } from '../../eventually.ts';
import { aClass, aSeat } from '../site-data.ts';
import type { Site } from '../site-state.ts';
import type { OpenedWall } from '../site-wall.ts';

const size = { width: 320, height: 200 };

export interface Scrolled {
  /** Milliseconds from each frame to the next one. */
  readonly frameMs: readonly number[];
  /** Durations of the tasks that took longer than 50 ms. */
  readonly longTaskMs: readonly number[];
  /** What the page's thread worked during that time, in milliseconds: altogether, and for scripts, styles and layout. */
  readonly workMs: number;
  readonly codeMs: number;
}

/** Opens the page of a class with so many seats. All of them have a picture as soon as the page asks for it. */
export async function openClassPage(site: Site, page: Page, count: number): Promise<OpenedWall> {
  site.instructed = [
    aClass({
      seats: Array.from({ length: count }, (_, index) =>
        aSeat(`student-${String(index).padStart(2, '0')}`, 100 + index),
      ),
    }),
  ];
  await page.goto(`${site.origin}/classes`);
  return eventually('the page has opened a wall and shows seats', () => {
    const wall = site.walls.at(-1);
    return wall !== undefined && wall.shown.length > 0 && wall;
  });
}

/** Scrolls up and down for so many frames, while all pictures that the page shows change once per second. */
export async function scrollWall(page: Page, wall: OpenedWall, frames: number): Promise<Scrolled> {
  const noise = await Promise.all(
    [0, 1, 2].map((seed) =>
      sharp({
        create: {
          ...size,
          channels: 3,
          background: '#336699',
          noise: { type: 'gaussian', mean: 60 + 60 * seed, sigma: 20 },
        },
      })
        .jpeg({ quality: 70 })
        .toBuffer(),
    ),
  );
  let round = 0;
  const sending = setInterval(() => {
    round++;
    for (const seat of wall.shown.at(-1) ?? []) {
      const image = noise[(seat + round) % noise.length];
      if (image) wall.picture(seat, size, image);
    }
  }, 1000);
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const worked = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    const ms = (wanted: string) => 1000 * (metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN);
    return {
      work: ms('TaskDuration'),
      code: ms('ScriptDuration') + ms('RecalcStyleDuration') + ms('LayoutDuration'),
    };
  };
  try {
    const before = await worked();
    const scrolled = await page.evaluate(async (count) => {
      const longTaskMs: number[] = [];
      new PerformanceObserver((list) =>
        longTaskMs.push(...list.getEntries().map(({ duration }) => duration)),
      ).observe({ type: 'longtask' });
      const frameMs: number[] = [];
      let by = 40;
      let last = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
      for (let frame = 0; frame < count; frame++) {
        const at = scrollY;
        scrollBy(0, by);
        // The end of the page.
        if (scrollY === at) by = -by;
        const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
        frameMs.push(now - last);
        last = now;
      }
      return { frameMs, longTaskMs };
    }, frames);
    const after = await worked();
    return { ...scrolled, workMs: after.work - before.work, codeMs: after.code - before.code };
  } finally {
    clearInterval(sending);
    await session.detach();
  }
}
