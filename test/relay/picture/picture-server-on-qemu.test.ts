import type { Duplex } from 'node:stream';
import { systemClock } from '@porthole/shared/time/clock';
import { createPictureServer } from '@porthole/relay/picture/picture-server';
import { TileCache } from '@porthole/relay/picture/tile-cache';
import { eventually } from '../../eventually.ts';
import { describeWhere } from '../../fakes/guests/availability.ts';
import { createQemuGuest, qemuAvailable, qemuMissing, type QemuGuest } from '../../fakes/guests/qemu.ts';
import { openRfb } from '../../fakes/guests/rfb-client.ts';
import { loadNovncTight } from './novnc-tight.ts';
import { novncEncodings, setEncodings, setPixelFormat, updateRequest } from './picture-server-rig.ts';
import { dumpPixels, openQemuConsole } from './qemu-console.ts';
import { novncFormat, sampleFormats, type SampleFormat } from './sample-formats.ts';
import { TestViewer } from './test-viewer.ts';
import { ignoredServerEvents } from './ignored-server-events.ts';

/** A boot sector: 640 by 480 pixels, a key, text of 80 by 25, a key, and so on. */
const code = [
  [0xb8, 0x12, 0x00, 0xcd, 0x10], // mov ax, 0012h; int 10h
  [0x31, 0xc0, 0xcd, 0x16], //       xor ax, ax; int 16h
  [0xb8, 0x03, 0x00, 0xcd, 0x10], // mov ax, 0003h; int 10h
  [0x31, 0xc0, 0xcd, 0x16], //       xor ax, ax; int 16h
  [0xeb, 0xec], //                   jmp to the beginning
];
const modeSwitcher = Buffer.alloc(512);
modeSwitcher.set(code.flat());
modeSwitcher.set([0x55, 0xaa], 510);

describeWhere(qemuAvailable(), qemuMissing)('the viewers of one console of real QEMU', () => {
  const guest = createQemuGuest({ name: 'vm-100' });
  /** Switches to another mode of the screen with each key. */
  const modeGuest = createQemuGuest({ name: 'vm-101', bootSector: modeSwitcher });
  const viewers = new Map<number, TestViewer>();
  const failures: string[] = [];
  let stream: Duplex | undefined;
  const server = createPictureServer({
    clock: systemClock,
    cache: new TileCache(1024 * 1024),
    events: {
      ...ignoredServerEvents,
      toViewers(ids, message) {
        for (const id of ids) {
          viewers.get(id)?.receive(message);
          queueMicrotask(() => server.onViewerMessage(id, updateRequest(true)));
        }
      },
      toMachine: (message) => void stream?.write(message),
      onMachineFailed: (detail) => void failures.push(detail),
    },
  });

  async function connect(to: QemuGuest) {
    const opened = await openQemuConsole(to);
    stream = opened;
    opened.on('data', (chunk: Buffer) => server.onMachineBytes(chunk));
    server.connect('authenticated');
  }

  let createViewer: () => TestViewer;
  beforeAll(async () => {
    await guest.start();
    await guest.booted();
    const createTight = await loadNovncTight();
    createViewer = () => new TestViewer(createTight);
    const kinds: readonly (readonly [SampleFormat, readonly number[]])[] = [
      [novncFormat, novncEncodings],
      ...sampleFormats.map((format) => [format, [-223]] as const),
    ];
    kinds.forEach(([format, encodings], id) => {
      const viewer = createViewer();
      viewer.format = format;
      viewers.set(id, viewer);
      server.addViewer(id, 'vm-100');
      server.onViewerMessage(id, setPixelFormat(format));
      server.onViewerMessage(id, setEncodings(encodings));
    });
    await connect(guest);
  }, 60_000);
  afterAll(async () => {
    server.stop();
    stream?.destroy();
    await guest.close();
    await modeGuest.close();
  });

  const allEqualTheDump = (of: QemuGuest) =>
    eventually('each viewer has the picture of the screen dump', async () => {
      const dump = await dumpPixels(of);
      return [...viewers.values()].every(
        ({ pixels, format }) =>
          pixels.length === dump.length &&
          pixels.every((pixel, i) => pixel === format.pixelOf(dump[i] ?? -1)),
      );
    });

  test('see what its screen dump has, each in its format', async () => {
    await allEqualTheDump(guest);
    expect(failures).toEqual([]);
  });

  test('see what is typed', async () => {
    await guest.setPassword('password', 30);
    const typist = await openRfb(await guest.connect(), { password: 'password' });
    const before = viewers.get(0)?.updates.length ?? 0;
    typist.type('hello\nworld\n'.repeat(20));
    await eventually('the picture changes', () => (viewers.get(0)?.updates.length ?? 0) > before);
    await allEqualTheDump(guest);
    typist.close();
  });

  test('follow its size, in text and in graphics', async () => {
    server.disconnect();
    stream?.destroy();
    const height = () => viewers.get(0)?.height;
    await modeGuest.start();
    await connect(modeGuest);
    const typist = await openRfb(await modeGuest.connect(), { password: 'password' });
    // The firmware has a text mode before, which may be over already.
    for (const [i, next] of [480, 400, 480].entries()) {
      if (i > 0) typist.key(0x61);
      await eventually(`the height is ${next}`, () => height() === next);
      await allEqualTheDump(modeGuest);
    }
    typist.close();
    expect(failures).toEqual([]);
    server.disconnect();
    await modeGuest.close();
    await connect(guest);
  }, 60_000);

  test('keep the last picture while it is off, and see the next one when it is on again', async () => {
    server.disconnect();
    const last = viewers.get(0)?.pixels.slice();
    await guest.stop();
    expect(viewers.get(0)?.pixels).toEqual(last);
    await guest.start();
    await connect(guest);
    await guest.booted();
    await allEqualTheDump(guest);
    expect(failures).toEqual([]);
  }, 60_000);
});
