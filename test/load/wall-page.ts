import { startBrowser } from '../web/browser.ts';
import { openClassPage, scrollWall, type Scrolled } from '../web/lobby/scroll-wall.ts';
import { startSite } from '../web/site.ts';
import { isInstalled } from './compared-relays.ts';

/** How smoothly the page of a class scrolls. */
export interface PageSmoothness {
  readonly seats: number;
  readonly framesPerSecond: number;
  /** Milliseconds between two frames. */
  readonly p95: number;
  readonly longest: number;
  /** Of the page's thread, in milliseconds per frame: altogether, and for scripts, styles and layout. */
  readonly workPerFrame: number;
  readonly codePerFrame: number;
  readonly longTasks: number;
}

const frames = 600;

/** Scrolls the walls of classes of these sizes in Chromium, without a GPU. Undefined if it is not installed. */
export async function measureWallPages(
  sizes: readonly number[],
  rounds: number,
): Promise<readonly PageSmoothness[] | undefined> {
  if (!isInstalled('chromium')) return undefined;
  const browser = await startBrowser();
  try {
    const found: PageSmoothness[] = [];
    for (const seats of sizes) {
      // oxlint-disable-next-line no-await-in-loop
      found.push(await measurePage(browser, seats, rounds));
    }
    return found;
  } finally {
    await browser.stop();
  }
}

async function measurePage(
  browser: Awaited<ReturnType<typeof startBrowser>>,
  seats: number,
  rounds: number,
): Promise<PageSmoothness> {
  const site = await startSite();
  const { page, context } = await browser.open({ viewport: { width: 1280, height: 720 } });
  try {
    const wall = await openClassPage(site, page, seats);
    // Compiles the page's code, and draws each seat once.
    await scrollWall(page, wall, frames / 4);
    const { frameMs, longTaskMs, workMs, codeMs } = await smoothest(rounds, () =>
      scrollWall(page, wall, frames),
    );
    const sorted = frameMs.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
    return {
      seats,
      framesPerSecond: (1000 * frameMs.length) / sum(frameMs),
      p95: at(0.95),
      longest: at(1),
      workPerFrame: workMs / frameMs.length,
      codePerFrame: codeMs / frameMs.length,
      longTasks: longTaskMs.length,
    };
  } finally {
    await context.close();
    await site.stop();
  }
}

/** Other programs on the computer make frames later, never earlier. */
async function smoothest(rounds: number, scroll: () => Promise<Scrolled>): Promise<Scrolled> {
  let best = await scroll();
  for (let round = 1; round < rounds; round++) {
    // One after the other, because they share the cores.
    // oxlint-disable-next-line no-await-in-loop
    const next = await scroll();
    if (sum(next.frameMs) < sum(best.frameMs)) best = next;
  }
  return best;
}

const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);

/** Formats the results as a table. */
export function reportWallPages(pages: readonly PageSmoothness[] | undefined): string[] {
  if (!pages) return ['The page was not measured: Chromium is not installed.', ''];
  if (pages.length === 0) return [];
  return [
    'The page of a class in Chromium at 1280 × 720, drawn without a GPU, while it scrolls and each picture that is visible changes once per second: the smoothest of several rounds of ten seconds. The target is 60 frames per second.',
    '',
    "| Seats | Frames per second | Between frames, p95 | Longest | Work of the page's thread per frame | Of that, scripts, styles and layout | Tasks above 50 ms |",
    '|--:|--:|--:|--:|--:|--:|--:|',
    ...pages.map(
      ({ seats, framesPerSecond, p95, longest, workPerFrame, codePerFrame, longTasks }) =>
        `| ${seats} | ${framesPerSecond.toFixed(1)} | ${p95.toFixed(1)} ms | ${longest.toFixed(1)} ms | ${workPerFrame.toFixed(1)} ms | ${codePerFrame.toFixed(1)} ms | ${longTasks} |`,
    ),
    '',
  ];
}
