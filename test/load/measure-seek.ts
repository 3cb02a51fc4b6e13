import { fileURLToPath } from 'node:url';
import type { PartWriter } from '@porthole/shared/recording/write/part-writer';
import { closeBrokers, password } from '../broker/rig.ts';
import { lessonAt, removeDirectories, startRecordings } from '../broker/recordings/fixtures.ts';
import { rgb } from '../fakes/guests/framebuffer.ts';
import { startScreen } from '../fakes/recordings/screen-script.ts';
import { writeRecording } from '../fakes/recordings/write-recording.ts';
import { startBrowser } from '../web/browser.ts';

/**
 * Measures how long the player takes in Chromium from the beginning to the end of an hour of desktop work that was recorded
 * without keyframes: it must decode everything. `npm run bench:seek` prints the figures of docs/recordings.md.
 */
const hourSeconds = 3600;
const [width, height] = [1280, 800];
const rounds = 3;

/** Two keys per second in a text window, a scrolled window every ten seconds, another window every half minute. */
function work(writer: PartWriter, at: (ms: number) => void): void {
  const screen = startScreen(writer, width, height);
  const { framebuffer } = screen;
  framebuffer.fill(0, 0, width, height, rgb(0x2f5d66));
  screen.update();
  for (let half = 1; half < hourSeconds * 2; half++) {
    at(half * 500);
    writer.record({ type: 'key' });
    const [column, row] = [half % 100, Math.floor(half / 100) % 40];
    screen.text(10 + column, 4 + row, String.fromCharCode(97 + (half % 26)));
    if (half % 20 === 0)
      for (let line = 0; line < 30; line++)
        screen.text(10, 4 + line, `${half + line} ${'lorem ipsum dolor sit amet '.repeat(3)}`.slice(0, 100));
    if (half % 60 === 0) {
      framebuffer.fill(0, 0, width, height, rgb(half % 120 === 0 ? 0x2f5d66 : 0x10262e));
      framebuffer.fill(80, 64, 1000, 640, rgb(0x101820));
    }
    screen.update();
  }
  at(hourSeconds * 1000);
  writer.record({ type: 'mark', name: 'note', text: 'end' });
}

const browser = await startBrowser();
try {
  const pagesDir = fileURLToPath(new URL('../../services/broker/web/dist', import.meta.url));
  const { rig, storage } = await startRecordings({ pagesDir });
  const [address] = await writeRecording(storage, { startedAt: lessonAt, parts: [{ write: work }] });
  let bytes = 0;
  for await (const { size } of storage.list(`${address?.recording}/`)) bytes += size;
  const origin = `http://127.0.0.1:${rig.port}`;
  const { page, context, faults } = await browser.open();
  await context.request.post(`${origin}/api/v1/login`, {
    data: { username: 'ada', password },
    headers: { 'sec-fetch-site': 'same-origin' },
  });
  const isAt = (ms: number) =>
    page.locator(`.player[data-ms="${ms}"][data-busy="false"]`).waitFor({ timeout: 120_000 });
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // A new page has no chunks yet.
    await page.goto(`${origin}/recordings/${address?.recording}`);
    await isAt(0);
    const begun = performance.now();
    await page.keyboard.press('End');
    await isAt(hourSeconds * 1000);
    seconds.push((performance.now() - begun) / 1000);
  }
  const shown = seconds.map((each) => each.toFixed(2)).join(', ');
  process.stdout.write(
    `${width}x${height}, ${(bytes / 1e6).toFixed(1)} MB in the storage. Seconds from the beginning to the end: ${shown}\n`,
  );
  if (faults.length > 0) throw new Error(faults.join('\n'));
} finally {
  await browser.stop();
  await closeBrokers();
  await removeDirectories();
}
