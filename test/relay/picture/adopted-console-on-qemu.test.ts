import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '@porthole/shared/time/clock';
import { createPictureServer, type ReadablePictureServer } from '@porthole/relay/picture/picture-server';
import { TileCache } from '@porthole/relay/picture/tile-cache';
import { eventually } from '../../eventually.ts';
import { describeWhere } from '../../fakes/guests/availability.ts';
import { createQemuGuest, qemuAvailable, qemuMissing } from '../../fakes/guests/qemu.ts';
import { openRfb, type RfbClient } from '../../fakes/guests/rfb-client.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { dumpPixels, openQemuConsole, samePixels } from './qemu-console.ts';
import { novncEncodings, setEncodings, setPixelFormat, updateRequest } from './picture-server-rig.ts';
import { novncFormat } from './sample-formats.ts';
import { ignoredServerEvents } from './ignored-server-events.ts';

describeWhere(qemuAvailable(), qemuMissing)('a console of real QEMU that a viewer has used before', () => {
  const guest = createQemuGuest({ name: 'vm-100' });
  let typist: RfbClient;
  beforeAll(async () => {
    await guest.start();
    await guest.booted();
    await guest.setPassword('password', 60);
    typist = await openRfb(await guest.connect(), { password: 'password' });
  }, 60_000);
  afterAll(async () => {
    typist.close();
    await guest.close();
  });

  /** A connection to QEMU that has sent its ServerInit, as noVNC would have it. */
  async function openUsedConsole(): Promise<Duplex> {
    const stream = await openQemuConsole(guest);
    stream.write(Buffer.of(1));
    await once(stream, 'data');
    stream.write(setPixelFormat(novncFormat));
    stream.write(setEncodings(novncEncodings));
    return stream;
  }

  interface Adopted {
    readonly server: ReadablePictureServer;
    /** Undefined if it failed. */
    readonly firstPicture: Uint32Array | undefined;
    close(): void;
  }

  async function adopt(stream: Duplex): Promise<Adopted> {
    const outcome = Promise.withResolvers<Uint32Array | undefined>();
    const server = createPictureServer({
      clock: systemClock,
      cache: new TileCache(1024 * 1024),
      events: {
        ...ignoredServerEvents,
        toViewers: () => server.onViewerMessage(1, updateRequest(true)),
        toMachine: (message) => void stream.write(message),
        onPicture: () => outcome.resolve(server.picture?.pixels.slice()),
        onMachineFailed: () => outcome.resolve(undefined),
      },
    });
    stream.removeAllListeners('data');
    stream.on('data', (chunk: Buffer) => server.onMachineBytes(chunk));
    server.connect('adopt');
    const firstPicture = await outcome.promise;
    return {
      server,
      firstPicture,
      close() {
        server.stop();
        stream.destroy();
      },
    };
  }

  test('is taken over at any moment: its picture equals the screen dump, or the failure is reported', async () => {
    const random = createSeededRandom(Date.now());
    const colours = new Set(await dumpPixels(guest));
    let adoptedCount = 0;
    for (let round = 0; round < 50; round++) {
      const stream = await openUsedConsole();
      stream.on('data', () => stream.write(updateRequest(true)));
      stream.write(updateRequest(false));
      await once(stream, 'data');
      // Lines scroll the whole screen, so that QEMU has much to encode.
      typist.type('some text\n'.repeat(1 + random(20)));
      await pause(random(120));
      const adopted = await adopt(stream);
      const { server, firstPicture } = adopted;
      try {
        if (!firstPicture) continue;
        adoptedCount++;
        // Pixels in the viewer's format, or bytes taken for pixels, would have other colours.
        expect(firstPicture.every((colour) => colours.has(colour))).toBe(true);
        server.addViewer(1, 'the machine');
        server.onViewerMessage(1, updateRequest(true));
        await eventually('the picture equals the screen dump', async () => {
          const dump = await dumpPixels(guest);
          return server.picture !== undefined && samePixels(server.picture.pixels, dump);
        });
      } finally {
        adopted.close();
      }
    }
    // A failure costs another console, so it must be rare.
    expect(adoptedCount).toBeGreaterThan(45);
  }, 240_000);

  test('is taken over with no key down, also those that the viewer held', async () => {
    // QEMU lifts the keys of all clients when it sees that one has left.
    await eventually(
      'QEMU has noticed the end of the earlier consoles',
      async () => (await guest.viewers()) === 1,
    );
    const stream = await openUsedConsole();
    const keyDown = Buffer.alloc(12);
    keyDown.set([255, 0, 0, 1]);
    keyDown.writeUInt32BE(0xffe1, 4);
    keyDown.writeUInt32BE(0x2a, 8);
    stream.write(keyDown);
    const shifts = async () => (await guest.inputs()).filter((line) => /qcode shift, down/.test(line));
    await eventually(
      'QEMU has the key down',
      async () => (await shifts()).at(-1)?.endsWith('down 1') ?? false,
    );
    const before = (await guest.inputs()).length;
    const adopted = await adopt(stream);
    await eventually('QEMU has the key up', async () => (await shifts()).at(-1)?.endsWith('down 0') ?? false);
    expect((await guest.inputs()).length).toBe(before + 1);
    adopted.close();
  });
});
