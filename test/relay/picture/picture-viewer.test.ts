import { setTimeout as nextTurn } from 'node:timers/promises';
import { u16, u32 } from '../rfb/bytes.ts';
import { update } from '../rfb/server-stream.ts';
import {
  createConnected,
  expectedPixels,
  fakeJpeg,
  novncEncodings,
  setEncodings,
  updateRequest,
} from './picture-server-rig.ts';
import { sampleFormats } from './sample-formats.ts';

type Connected = Awaited<ReturnType<typeof createConnected>>;

/** Lets the machine send a rectangle of a pseudo-encoding. */
function notify(
  { server }: Connected,
  [x, y, width, height]: readonly [number, number, number, number],
  encoding: number,
  ...body: Buffer[]
) {
  server.onMachineBytes(
    update(Buffer.concat([u16(x), u16(y), u16(width), u16(height), u32(encoding), ...body])),
  );
}

const oneScreen = Buffer.concat([Buffer.of(1, 0, 0, 0), Buffer.alloc(16)]);
/** Red, green, blue, white. */
const cursorPixels = Buffer.from([0, 0, 255, 9, 0, 255, 0, 9, 255, 0, 0, 9, 255, 255, 255, 9]);

describe('a viewer', () => {
  test('that offers the cursor gets the current one at once, later ones when they change, in its format', async () => {
    const rig = await createConnected();
    notify(rig, [1, 1, 2, 2], -239, cursorPixels, Buffer.of(0x80, 0x40));
    for (const [id, format] of sampleFormats.entries()) {
      const viewer = rig.addViewer(id, novncEncodings);
      rig.setFormat(id, format);
      rig.askForAll(id);
      const cursors = viewer.notices.filter(({ encoding }) => encoding === -239);
      expect(cursors).toHaveLength(1);
      const [{ x, y, width, height, body } = { body: Buffer.alloc(0) }] = cursors;
      expect([x, y, width, height]).toEqual([1, 1, 2, 2]);
      const size = format.bytesPerPixel;
      const pixels = [0, 1, 2, 3].map((i) =>
        format.bigEndian ? body.readUIntBE(i * size, size) : body.readUIntLE(i * size, size),
      );
      expect(pixels).toEqual([0xff_00_00, 0x00_ff_00, 0x00_00_ff, 0xff_ff_ff].map(format.pixelOf));
      expect(body.subarray(4 * size)).toEqual(Buffer.of(0x80, 0x40));
    }
    rig.clock.advance(100);
    rig.send(0, updateRequest(true));
    notify(rig, [0, 0, 0, 0], -239);
    expect(rig.viewers.get(0)?.notices.at(-1)).toMatchObject({ encoding: -239, width: 0, height: 0 });
  });

  test('gets the LEDs and the acknowledgment of extended keys only if it offers them and the machine has them', async () => {
    const rig = await createConnected();
    const early = rig.addViewer(1, novncEncodings);
    rig.askForAll(1);
    expect(early.notices).toEqual([]);
    notify(rig, [0, 0, 1, 1], -261, Buffer.of(5));
    notify(rig, [0, 0, 100, 100], -258);
    rig.askForAll(1);
    const late = rig.addViewer(2, novncEncodings);
    rig.askForAll(2);
    for (const { notices } of [early, late]) {
      expect(notices).toHaveLength(2);
      expect(notices.map(({ encoding, body }) => [encoding, ...body])).toEqual(
        expect.arrayContaining([[-258], [-261, 5]]),
      );
    }
    const plain = rig.addViewer(3, [7]);
    rig.askForAll(3);
    expect(plain.notices).toEqual([]);
  });

  test('may ask for other sizes only if the machine accepts them', async () => {
    const rig = await createConnected();
    const viewer = rig.addViewer(1, novncEncodings);
    rig.askForAll(1);
    expect(viewer.notices).toEqual([]);
    notify(rig, [0, 0, 128, 128], -308, oneScreen);
    expect(rig.events.at(-1)).toBe('size 128x128 resizable');
    rig.askForAll(1);
    rig.askForAll(1);
    expect(viewer.notices).toMatchObject([{ encoding: -308, x: 0, y: 0, width: 128, height: 128 }]);
    expect(viewer.notices[0]?.body).toEqual(
      Buffer.concat([Buffer.of(1, 0, 0, 0), u32(0), u16(0), u16(0), u16(128), u16(128), u32(0)]),
    );
  });

  test('learns the answer to its request for another size, with the size when it is there', async () => {
    const rig = await createConnected();
    notify(rig, [0, 0, 128, 128], -308, oneScreen);
    const [asking, other] = [rig.addViewer(1, novncEncodings), rig.addViewer(2, novncEncodings)];
    for (const id of [1, 2]) rig.askForAll(id);
    notify(rig, [1, 3, 128, 128], -308, oneScreen);
    expect(rig.events.at(-1)).toBe('resize status 3');
    rig.server.onResizeAnswered(1, 3);
    for (const id of [1, 2]) rig.askForAll(id);
    expect(asking.notices.at(-1)).toMatchObject({ encoding: -308, x: 1, y: 3, width: 128, height: 128 });
    expect(other.notices).toHaveLength(1);

    rig.machine.resize(150, 90);
    rig.machine.deliver(16);
    notify(rig, [1, 0, 150, 90], -308, oneScreen);
    rig.server.onResizeAnswered(1, 0);
    for (const id of [1, 2]) rig.askForAll(id);
    // The picture of the new size is not there.
    expect(asking.width).toBe(128);
    rig.machine.deliver();
    for (const id of [1, 2]) rig.askForAll(id);
    expect(asking.notices.at(-1)).toMatchObject({ encoding: -308, x: 1, y: 0, width: 150, height: 90 });
    expect(other.notices.at(-1)).toMatchObject({ encoding: -308, x: 0, y: 0, width: 150, height: 90 });
    for (const viewer of [asking, other]) expect(viewer.pixels).toEqual(expectedPixels(viewer, rig.machine));
  });

  test('follows the size by DesktopSize if the machine decides on it alone', async () => {
    const rig = await createConnected();
    const viewer = rig.addViewer(1, novncEncodings);
    rig.askForAll(1);
    rig.machine.resize(60, 200);
    rig.machine.deliver();
    rig.askForAll(1);
    expect(viewer.notices).toMatchObject([{ encoding: -223, width: 60, height: 200 }]);
    // The size has an update of its own, because viewers forget their picture then.
    expect(viewer.updates.find(({ encodings }) => encodings.includes(-223))?.encodings).toEqual([-223]);
    expect(viewer.pixels).toEqual(expectedPixels(viewer, rig.machine));
  });

  test.each([
    ['larger', 200, 150],
    ['smaller', 70, 30],
    ['wider and lower', 300, 20],
  ])('that cannot change its size keeps it when the picture becomes %s', async (_, width, height) => {
    const rig = await createConnected();
    const viewer = rig.addViewer(1, [7]);
    rig.askForAll(1);
    rig.machine.resize(width, height);
    rig.machine.draw();
    rig.machine.deliver();
    rig.askForAll(1);
    expect([viewer.width, viewer.height]).toEqual([128, 128]);
    expect(viewer.pixels).toEqual(expectedPixels(viewer, rig.machine));
  });
});

describe('a photograph', () => {
  async function createWithPhoto(encodeJpeg?: Parameters<typeof createConnected>[2]) {
    const rig = await createConnected(128, 128, encodeJpeg);
    const viewer = rig.addViewer(1, [...novncEncodings, -26]);
    rig.askForAll(1);
    rig.clock.advance(5000);
    rig.send(1, updateRequest(true));
    rig.machine.drawPhoto();
    rig.machine.deliver();
    await nextTurn(0);
    rig.clock.advance(0);
    return { ...rig, viewer };
  }
  const encodeJpeg = (pixels: Uint8Array) => Promise.resolve(fakeJpeg(pixels));
  /** Pixels that differ in their lowest three bits. */
  const isClose = (pixels: readonly number[], expected: readonly number[]) =>
    pixels.every((pixel, i) => ((pixel ^ (expected[i] ?? 0)) & 0xf8_f8_f8) === 0);

  test('is sent as JPEG at once, and without loss after a quiet second', async () => {
    const qualities = new Set<number>();
    const rig = await createWithPhoto({
      encodeJpeg(pixels, _size, quality) {
        qualities.add(quality);
        return encodeJpeg(pixels);
      },
    });
    const { viewer, machine, clock } = rig;
    const expected = expectedPixels(viewer, machine);
    expect(viewer.pixels).not.toEqual(expected);
    expect(isClose(viewer.pixels, expected)).toBe(true);
    expect([...qualities]).toEqual([79]);
    rig.askForAll(1);
    clock.advance(900);
    expect(viewer.pixels).not.toEqual(expected);
    clock.advance(100);
    expect(viewer.pixels).toEqual(expected);
    const { length } = viewer.updates;
    rig.askForAll(1);
    clock.advance(10_000);
    expect(viewer.updates).toHaveLength(length);
    expect(clock.pending()).toBe(0);
  });

  test('stays JPEG as long as it changes', async () => {
    const rig = await createWithPhoto({ encodeJpeg });
    const { viewer, machine, clock } = rig;
    for (let i = 0; i < 30; i++) {
      rig.send(1, updateRequest(true));
      machine.picture.pixels.forEach((pixel, at, pixels) => (pixels[at] = pixel ^ 0x10_10_10));
      machine.append(machine.picture.all());
      machine.deliver();
      await nextTurn(0);
      clock.advance(100);
    }
    const expected = expectedPixels(viewer, machine);
    expect(isClose(viewer.pixels, expected)).toBe(true);
    expect(viewer.pixels).not.toEqual(expected);
  });

  test('is sent without loss to a viewer that wants no JPEG, beside one that does', async () => {
    const rig = await createWithPhoto({ encodeJpeg });
    const lossless = rig.addViewer(2, novncEncodings);
    rig.askForAll(2);
    expect(lossless.pixels).toEqual(expectedPixels(lossless, rig.machine));
  });

  test.each<[string, () => Promise<Uint8Array>]>([
    ['rejects', () => Promise.reject(new Error('broken'))],
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
  ])('is sent without loss if the encoder %s', async (_, broken) => {
    const { viewer, machine } = await createWithPhoto({ encodeJpeg: broken });
    expect(viewer.pixels).toEqual(expectedPixels(viewer, machine));
  });

  test('is sent without loss when it is quiet, even if the encoder never answers', async () => {
    const { viewer, machine, clock } = await createWithPhoto({ encodeJpeg: () => new Promise(() => {}) });
    clock.advance(1000);
    expect(viewer.pixels).toEqual(expectedPixels(viewer, machine));
  });

  test('of the size before is not sent when it is ready', async () => {
    const jobs: (() => void)[] = [];
    const rig = await createWithPhoto({
      encodeJpeg: (pixels) => new Promise((resolve) => jobs.push(() => resolve(fakeJpeg(pixels)))),
    });
    const { viewer, machine, clock, send } = rig;
    const before = jobs.splice(0);
    expect(before.length).toBeGreaterThan(0);
    machine.resize(100, 100);
    machine.drawPhoto();
    machine.deliver();
    expect(viewer.width).toBe(100);
    clock.advance(20);
    send(1, updateRequest(true));
    expect(jobs.length).toBeGreaterThan(0);
    const { length } = viewer.updates;
    for (const finish of before) finish();
    await nextTurn(0);
    clock.advance(0);
    expect(viewer.updates).toHaveLength(length);
    for (const finish of jobs) finish();
    await nextTurn(0);
    clock.advance(0);
    expect(viewer.updates).toHaveLength(length + 1);
    expect(isClose(viewer.pixels, expectedPixels(viewer, machine))).toBe(true);
  });

  test('that is ready after the end of its screen leaves nothing behind', async () => {
    const jobs: (() => void)[] = [];
    const { server, clock } = await createWithPhoto({
      encodeJpeg: (pixels) => new Promise((resolve) => jobs.push(() => resolve(fakeJpeg(pixels)))),
    });
    expect(jobs.length).toBeGreaterThan(0);
    server.stop();
    for (const finish of jobs) finish();
    await nextTurn(0);
    expect(clock.pending()).toBe(0);
  });

  test('is sent without loss without an encoder', async () => {
    const { viewer, machine } = await createWithPhoto();
    expect(viewer.pixels).toEqual(expectedPixels(viewer, machine));
  });
});

describe('a viewer that breaks the protocol', () => {
  const format = (...bytes: number[]) =>
    Buffer.concat([Buffer.alloc(4), Buffer.from(bytes), Buffer.alloc(16 - bytes.length)]);
  const invalid: Readonly<Record<string, Buffer>> = {
    '24 bits per pixel': format(24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0),
    'no bits per pixel': format(0, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0),
    'a shift out of the pixel': format(16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 12, 5, 0),
    'a shift by 255': format(32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 255, 8, 0),
    'a maximum of 0': format(32, 24, 0, 1, 0, 0, 0, 255, 0, 255, 16, 8, 0),
    'a maximum of 254': format(32, 24, 0, 1, 0, 254, 0, 255, 0, 255, 16, 8, 0),
    'colours that overlap': format(32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 15, 0),
    'a pixel format without its end': Buffer.alloc(19),
    'fewer encodings than it says': setEncodings([7, 0]).subarray(0, 8),
    'more encodings than it says': Buffer.concat([setEncodings([7, 0]), u32(5)]),
    'a request without its end': updateRequest(true).subarray(0, 9),
    'a key event': Buffer.of(4, 1, 0, 0, 0, 0, 0, 65),
    nothing: Buffer.alloc(0),
  };
  test.each(Object.keys(invalid))('by sending %s is refused, and others are served', async (name) => {
    const rig = await createConnected();
    rig.addViewer(1, novncEncodings);
    const other = rig.addViewer(2, novncEncodings);
    expect(() => rig.send(1, invalid[name] ?? Buffer.alloc(0))).toThrow(
      expect.objectContaining({ code: 'viewer_protocol' }),
    );
    rig.server.removeViewer(1);
    rig.askForAll(2);
    expect(other.pixels).toEqual(expectedPixels(other, rig.machine));
  });
});
