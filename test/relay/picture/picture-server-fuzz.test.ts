import { randomChunks } from '../chunks.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { DrawnPicture } from './drawn-picture.ts';
import { createPictureServerRig, fakeJpeg, novncEncodings, updateRequest } from './picture-server-rig.ts';
import { nativeFormat, sampleFormats } from './sample-formats.ts';

test('viewers get valid messages only, whatever damaged messages their machine sends', async () => {
  const random = createSeededRandom(5);
  const rig = await createPictureServerRig({ encodeJpeg: (pixels) => fakeJpeg(pixels), cacheBytes: 100_000 });
  const { server, clock, viewers, events } = rig;
  const kinds = [novncEncodings, [7, -26, -308], [0], [-223]];
  for (const [id, kind] of kinds.entries()) {
    rig.addViewer(id, kind);
    rig.setFormat(id, sampleFormats[2 * id] ?? nativeFormat);
  }
  let messages = 0;
  for (let round = 0; round < 500; round++) {
    const picture = new DrawnPicture(1 + random(90), 1 + random(90), random);
    const drawn = Array.from({ length: 10 }, () => picture.draw().message);
    const damaged = Buffer.concat([picture.serverInit(), picture.all(), ...drawn]);
    // The beginning stays, because a machine that has no picture shows nothing.
    const intact = random(4) === 0 ? 0 : 30;
    for (let i = 0; i <= random(8); i++) damaged[intact + random(damaged.length - intact)] = random(256);
    const failures = events.length;
    server.connect('authenticated');
    for (const chunk of round % 5 === 0 ? randomChunks(damaged, random) : [damaged]) {
      server.onMachineBytes(chunk);
      if (random(5) > 0) continue;
      for (const id of viewers.keys()) rig.send(id, updateRequest(random(3) > 0));
      clock.advance(random(40));
    }
    if (random(2) === 0) server.disconnect();
    for (const id of viewers.keys()) rig.send(id, updateRequest(true));
    clock.advance(random(1500));
    messages += drawn.length;
    if (events.length - failures > 100) throw new Error('a failure that is reported again and again');
  }
  expect(messages).toBe(5000);
  expect(events.filter((event) => event.startsWith('failed')).length).toBeGreaterThan(70);
  // The viewers decode all that they get, and throw an error for what is not valid.
  for (const viewer of viewers.values()) expect(viewer.updates.length).toBeGreaterThan(150);
  server.stop();
  expect(clock.pending()).toBe(0);
}, 120_000);
