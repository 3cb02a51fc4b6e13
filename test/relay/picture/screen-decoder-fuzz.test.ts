import { PortholeError } from '@porthole/shared/errors';
import { ScreenDecoder } from '@porthole/relay/picture/screen-decoder';
import { randomChunks } from '../chunks.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { DrawnPicture } from './drawn-picture.ts';
import { ignoredEvents } from './ignored-events.ts';

test('a million damaged messages of a machine are drawn or refused, and nothing else happens', () => {
  const random = createSeededRandom(3);
  let messages = 0;
  let refused = 0;
  while (messages < 1_000_000) {
    const picture = new DrawnPicture(1 + random(40), 1 + random(40), random);
    const drawn = Array.from({ length: 20 }, () => picture.draw().message);
    const stream = Buffer.concat([picture.serverInit(), ...drawn]);
    // The same messages with other damage, because drawing them takes longest.
    for (let copy = 0; copy < 100; copy++) {
      messages += drawn.length;
      const damaged = Buffer.from(stream);
      for (let i = 0; i <= random(4); i++) damaged[random(damaged.length)] = random(256);
      const decoder = new ScreenDecoder(ignoredEvents);
      try {
        for (const chunk of copy % 10 === 0 ? randomChunks(damaged, random) : [damaged]) decoder.push(chunk);
      } catch (error) {
        if (!(error instanceof PortholeError) || error.code !== 'proxmox_invalid_response') throw error;
        refused++;
      }
    }
  }
  expect(refused).toBeGreaterThan(10_000);
});
