import type { PartWriter } from '@porthole/shared/recording/write/part-writer';
import { rgb } from '../fakes/guests/framebuffer.ts';
import type { ScreenScript } from '../fakes/recordings/screen-script.ts';

/** What a recording of some seconds of work has. `at` sets the time in milliseconds since it began. */
export interface SyntheticWork {
  readonly writer: PartWriter;
  readonly at: (ms: number) => void;
  readonly seconds: number;
}

const words = 'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor '.repeat(3);

/** Two keys per second in a text window, a scrolled window every ten seconds, another window every half minute. */
export function officeWork(screen: ScreenScript, { writer, at, seconds }: SyntheticWork): void {
  const { framebuffer } = screen;
  const { width, height } = framebuffer;
  framebuffer.fill(0, 0, width, height, rgb(0x2f5d66));
  screen.update();
  for (let half = 1; half < seconds * 2; half++) {
    at(half * 500);
    writer.record({ type: 'key' });
    const [column, row] = [half % 100, Math.floor(half / 100) % 40];
    screen.text(10 + column, 4 + row, String.fromCharCode(97 + (half % 26)));
    if (half % 20 === 0)
      for (let line = 0; line < 30; line++)
        screen.text(10, 4 + line, `${half + line} ${words.slice(half % 80)}`.slice(0, 100));
    if (half % 60 === 0) {
      framebuffer.fill(0, 0, width, height, rgb(half % 120 === 0 ? 0x2f5d66 : 0x10262e));
      framebuffer.fill(80, 64, 1000, 640, rgb(0x101820));
    }
    screen.update();
  }
}

/** A film of 640x360 at ten pictures per second: soft shapes that move, with the grain of a camera. */
export async function videoWork(
  screen: ScreenScript & { sent?(): Promise<void> },
  { at, seconds }: SyntheticWork,
): Promise<void> {
  const { framebuffer } = screen;
  const { width, height, pixels } = framebuffer;
  const film = { x: 300, y: 200, width: 640, height: 360 };
  framebuffer.fill(0, 0, width, height, rgb(0x2f5d66));
  screen.update();
  let noise = 1;
  for (let picture = 1; picture < seconds * 10; picture++) {
    at(picture * 100);
    for (let y = 0; y < film.height; y++)
      for (let x = 0; x < film.width; x++) {
        const wave = 128 + 60 * Math.sin((x + picture * 3) / 70) + 40 * Math.cos((y - picture * 2) / 50);
        noise = (Math.imul(noise, 1_103_515_245) + 12_345) >>> 0;
        // As of a sensor: each colour has its own.
        const channel = (offset: number, bits: number) =>
          Math.max(0, Math.min(255, Math.round(wave + offset + (((noise >>> bits) & 7) - 4))));
        pixels[(film.y + y) * width + film.x + x] =
          channel(0, 29) | (channel(20, 26) << 8) | (channel(-30, 23) << 16);
      }
    framebuffer.touch(film);
    screen.update();
    await screen.sent?.();
  }
}

/** A command is typed and answered every 15 seconds; every fifth answer is long, as of a compiler or a log. */
export function shellWork({ writer, at, seconds }: SyntheticWork): void {
  writer.record({ type: 'terminal', code: 'r', bytes: Buffer.from('120x40') });
  const write = (text: string) => writer.terminalOutput(Buffer.from(text));
  for (let begun = 0; begun < seconds; begun += 15) {
    const command = `grep -rn "${words.slice(begun % 60, (begun % 60) + 8)}" src | head -${begun}`;
    for (const [index, key] of Array.from(command).entries()) {
      at(begun * 1000 + index * 150);
      writer.record({ type: 'key' });
      write(key);
    }
    at(begun * 1000 + 9000);
    write('\r\n');
    const lines = begun % 75 === 0 ? 300 : 12;
    for (let line = 0; line < lines; line++)
      write(
        `\u001b[35msrc/module-${(begun * 7 + line * 13) % 97}.ts\u001b[0m:${line * 3}: ${words.slice(line % 50, 50 + ((line * 17) % 60))}\r\n`,
      );
    write('student@lab:~$ ');
  }
}
