import { fileURLToPath } from 'node:url';
import { closeBrokers, password } from '../broker/rig.ts';
import { lessonAt, removeDirectories, startRecordings } from '../broker/recordings/fixtures.ts';
import { startScreen } from '../fakes/recordings/screen-script.ts';
import { startSharedScreen } from '../fakes/recordings/shared-screen-script.ts';
import { writeRecording, type RecordedPart } from '../fakes/recordings/write-recording.ts';
import { startBrowser } from '../web/browser.ts';
import { officeWork } from './synthetic-work.ts';

/**
 * Measures how long the player takes in Chromium from the beginning to the end of an hour of desktop work.
 * `npm run bench:seek` prints the figures of docs/recordings.md.
 */
const hourSeconds = 3600;
const [width, height] = [1280, 800];
const rounds = 3;

/** Without keyframes, as from a console of its own, and with those of a shared screen. */
const kinds = { 'a console of its own': false, 'a shared screen': true } as const;

function work(shared: boolean): RecordedPart['write'] {
  return (writer, setTime) => {
    let now = 0;
    const at = (ms: number) => setTime((now = ms));
    const screen = shared
      ? startSharedScreen(writer, () => now, width, height)
      : startScreen(writer, width, height);
    officeWork(screen, { writer, at, seconds: hourSeconds });
    at(hourSeconds * 1000);
    writer.record({ type: 'mark', name: 'note', text: 'end' });
  };
}

const browser = await startBrowser();
try {
  const pagesDir = fileURLToPath(new URL('../../services/broker/web/dist', import.meta.url));
  const { rig, storage } = await startRecordings({ pagesDir });
  const origin = `http://127.0.0.1:${rig.port}`;
  const { page, context, faults } = await browser.open();
  await context.request.post(`${origin}/api/v1/login`, {
    data: { username: 'ada', password },
    headers: { 'sec-fetch-site': 'same-origin' },
  });
  const isAt = (ms: number) =>
    page.locator(`.player[data-ms="${ms}"][data-busy="false"]`).waitFor({ timeout: 120_000 });
  for (const [kind, shared] of Object.entries(kinds)) {
    const [address] = await writeRecording(storage, {
      startedAt: lessonAt,
      parts: [{ write: work(shared) }],
    });
    let bytes = 0;
    for await (const { size } of storage.list(`${address?.recording}/`)) bytes += size;
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
      `${kind}: ${width}x${height}, ${(bytes / 1e6).toFixed(1)} MB in the storage. Seconds from the beginning to the end: ${shown}\n`,
    );
  }
  if (faults.length > 0) throw new Error(faults.join('\n'));
} finally {
  await browser.stop();
  await closeBrokers();
  await removeDirectories();
}
