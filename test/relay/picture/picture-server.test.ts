import {
  ScreenDecoder,
  setPixelFormat as relayFormat,
  supportedEncodings,
} from '@porthole/relay/picture/screen-decoder';
import type { Framebuffer } from '@porthole/relay/picture/framebuffer';
import { u16, u32 } from '../rfb/bytes.ts';
import { update } from '../rfb/server-stream.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { ignoredEvents } from './ignored-events.ts';
import {
  createConnected,
  createPictureServerRig,
  DrawnMachine,
  expectedPixels,
  novncEncodings,
  rawRectangle,
  setEncodings,
  updateRequest,
} from './picture-server-rig.ts';
import { sampleFormats } from './sample-formats.ts';
import { neverDrawn, type TestViewer } from './test-viewer.ts';

const requestsOf = (messages: readonly Buffer[]) => messages.filter((message) => message[0] === 3);

describe('a picture server', () => {
  test('shares the console, asks for its own format and encodings, and then for the whole picture', async () => {
    const rig = await createPictureServerRig();
    rig.server.connect('authenticated');
    expect(rig.toMachine).toEqual([Buffer.of(1)]);
    rig.server.onMachineBytes(Buffer.concat([u16(300), u16(200), Buffer.alloc(16), u32(0)]));
    expect(rig.toMachine.slice(1)).toEqual([
      relayFormat,
      setEncodings(supportedEncodings),
      updateRequest(false, 0, 0, 300, 200),
    ]);
    expect(supportedEncodings.at(-1)).toBe(-258);
  });

  test('sends ServerInit with the name and the size as soon as there is a picture', async () => {
    const rig = await createPictureServerRig();
    const machine = new DrawnMachine(rig, createSeededRandom(1), 70, 50);
    const viewer = rig.addViewer(1, novncEncodings);
    machine.connect();
    machine.deliver(30);
    expect(viewer.width).toBe(0);
    expect(rig.events).toEqual([]);
    machine.deliver();
    expect([viewer.width, viewer.height, viewer.name]).toEqual([70, 50, 'machine 1']);
    expect(rig.events).toEqual(['size 70x50', 'picture']);
  });

  test('answers each request once, with what has changed, and not before something has', async () => {
    const { addViewer, send, clock, drawPixel } = await createConnected();
    const viewer = addViewer(1, novncEncodings);
    send(1, updateRequest(false));
    expect(viewer.updates).toHaveLength(1);
    expect(viewer.updates[0]?.encodings).toEqual([7, 7, 7, 7]);
    clock.advance(10_000);
    send(1, updateRequest(true));
    clock.advance(10_000);
    expect(viewer.updates).toHaveLength(1);
    drawPixel(100, 5, 0xff_00_00);
    drawPixel(5, 100, 0xff_00_00);
    expect(viewer.updates).toHaveLength(2);
    clock.advance(1000);
    expect(viewer.updates).toHaveLength(2);
    send(1, updateRequest(true));
    expect(viewer.updates.map(({ encodings }) => encodings.length)).toEqual([4, 1, 1]);
  });

  test('sends tiles that a viewer asked for only, and keeps others for later', async () => {
    const { addViewer, send, clock } = await createConnected();
    const viewer = addViewer(1, novncEncodings);
    send(1, updateRequest(true, 70, 70, 3, 3));
    expect(viewer.pixels[0]).toBe(neverDrawn);
    expect(viewer.pixels[127]).toBe(neverDrawn);
    expect(viewer.pixels[64 * 128 + 64]).not.toBe(neverDrawn);
    clock.advance(1000);
    send(1, updateRequest(true));
    expect(viewer.updates.map(({ encodings }) => encodings.length)).toEqual([1, 3]);
    expect(viewer.pixels).not.toContain(neverDrawn);
  });

  test('encodes a tile once for all viewers that want it in the same form', async () => {
    const { addViewer, send } = await createConnected();
    const viewers = [1, 2, 3].map((id) => addViewer(id, novncEncodings));
    for (const id of [1, 2, 3]) send(id, updateRequest(true));
    const [first, ...others] = viewers.map(({ lastMessage }) => lastMessage.slice(1));
    expect(first).toHaveLength(4);
    // The same memory, not only the same bytes.
    for (const other of others) other.forEach((part, i) => expect(part).toBe(first?.[i]));
  });

  test('sends a viewer nothing while it is paused', async () => {
    const { addViewer, send, server, drawPixel } = await createConnected();
    const viewer = addViewer(1, novncEncodings);
    server.setPaused(1, true);
    send(1, updateRequest(false));
    drawPixel(1, 1, 0xff_ff_ff);
    expect(viewer.updates).toEqual([]);
    server.setPaused(1, false);
    expect(viewer.updates).toHaveLength(1);
  });

  test('sends no part of an update before all of it has arrived', async () => {
    const { addViewer, send, server, clock, machine } = await createConnected();
    const viewer = addViewer(1, novncEncodings);
    send(1, updateRequest(true));
    clock.advance(1000);
    const red = Array.from({ length: 16 }, () => 0xff_00_00);
    // Two rectangles of one update in the same tile. A viewer that got the first must not believe that it has both.
    const message = update(rawRectangle(0, 0, 4, 4, red), rawRectangle(10, 10, 4, 4, red));
    for (const at of [0, 10])
      for (let i = 0; i < 16; i++) machine.picture.pixels[(at + (i >> 2)) * 128 + at + (i & 3)] = 0xff_00_00;
    server.onMachineBytes(message.subarray(0, 90));
    send(1, updateRequest(true));
    expect(viewer.updates).toHaveLength(1);
    server.onMachineBytes(message.subarray(90));
    expect(viewer.updates).toHaveLength(2);
    expect(viewer.pixels).toEqual(expectedPixels(viewer, machine));
  });

  test('sends a picture of 8 MiB in parts, one per request', async () => {
    const { addViewer, send, clock, machine } = await createConnected(2048, 1024);
    const viewer = addViewer(1, [0]);
    const parts: number[] = [];
    for (let i = 0; i < 4; i++) {
      send(1, updateRequest(i > 0));
      parts.push(viewer.updates.length);
      clock.advance(1000);
    }
    expect(parts).toEqual([1, 2, 2, 2]);
    expect(viewer.updates.map(({ encodings }) => encodings.length)).toEqual([256, 256]);
    expect(viewer.pixels.every((pixel, at) => pixel === machine.picture.pixels[at])).toBe(true);
  });

  test.each([
    ['Raw', 0],
    ['Hextile', 5],
  ])('is understood by an independent decoder in %s', async (_, encoding) => {
    const { addViewer, send, machine, clock } = await createConnected(150, 100);
    let framebuffer: Framebuffer | undefined;
    const decoder = new ScreenDecoder({ ...ignoredEvents, onResize: (first) => (framebuffer = first) });
    const viewer = addViewer(1, [encoding]);
    decoder.push(Buffer.concat(viewer.lastMessage));
    for (let i = 0; i < 10; i++) {
      machine.draw();
      machine.deliver();
      send(1, updateRequest(true));
      clock.advance(100);
      const before = viewer.lastMessage;
      decoder.push(Buffer.concat(before));
      expect(framebuffer?.pixels.every((pixel, at) => pixel === machine.picture.pixels[at])).toBe(true);
    }
    expect(new Set(viewer.updates.flatMap(({ encodings }) => encodings))).toEqual(new Set([encoding]));
  });

  test('is put together once for the viewers that have and want the same', async () => {
    const { addViewer, drawPixel, machine, askForAll, send, clock } = await createConnected(150, 100);
    const [one, two, other, late] = [1, 2, 3, 4].map((id) => addViewer(id, id === 3 ? [0] : novncEncodings));
    for (const id of [1, 2, 3]) askForAll(id);
    clock.advance(100);
    send(4, updateRequest(true, 0, 0, 64, 64));
    for (const id of [1, 2, 3]) send(id, updateRequest(true));
    clock.advance(100);
    drawPixel(100, 80, 0x12_34_56);
    expect(two?.lastMessage).toBe(one?.lastMessage);
    expect(other?.lastMessage).not.toBe(one?.lastMessage);
    send(4, updateRequest(true));
    clock.advance(100);
    expect(late?.lastMessage).not.toBe(one?.lastMessage);
    askForAll(4);
    for (const viewer of [one, two, other, late])
      expect(viewer?.pixels).toEqual(viewer && expectedPixels(viewer, machine));
    drawPixel(10, 10, 0x65_43_21);
    for (const id of [1, 2, 4]) askForAll(id);
    for (const id of [1, 2, 4]) send(id, updateRequest(true));
    clock.advance(100);
    drawPixel(120, 30, 0x65_43_21);
    expect(late?.lastMessage).toBe(one?.lastMessage);
    expect(late?.pixels).toEqual(late && expectedPixels(late, machine));
  });

  test('is sent in the encoding that the viewer prefers, of those that suit its format', async () => {
    const { addViewer, setFormat, machine, askForAll, send, clock } = await createConnected(100, 70);
    const [tightFirst, hextileFirst] = [addViewer(1, [16, 7, 5, 0]), addViewer(2, [16, 5, 7, 0])];
    const lastOf = ({ updates }: TestViewer) => new Set(updates.at(-1)?.encodings);
    for (const id of [1, 2]) askForAll(id);
    expect([lastOf(tightFirst), lastOf(hextileFirst)]).toEqual([new Set([7]), new Set([5])]);
    const [, , , , sixteenBits] = sampleFormats;
    setFormat(1, sixteenBits!);
    clock.advance(3000);
    send(1, updateRequest(false));
    expect(lastOf(tightFirst)).toEqual(new Set([5]));
    expect(tightFirst.pixels).toEqual(expectedPixels(tightFirst, machine));
  });

  test.each(
    sampleFormats.flatMap((format) => [
      { format, name: format.name, kind: 'Tight or Raw', offered: novncEncodings },
      { format, name: format.name, kind: 'Hextile', offered: [5] },
    ]),
  )('shows the picture in the format "$name" in $kind', async ({ format, offered }) => {
    const { addViewer, setFormat, machine, askForAll, drawPixel } = await createConnected(100, 70);
    const viewer = addViewer(1, offered);
    askForAll(1);
    setFormat(1, format);
    for (let i = 0; i < 256; i++) drawPixel(i % 100, Math.floor(i / 100), (i * 0x01_03_07) & 0xff_ff_ff);
    askForAll(1);
    expect(viewer.pixels).toEqual(expectedPixels(viewer, machine));
    if (!format.name.includes('map')) return expect(viewer.colourMap).toBeUndefined();
    expect(viewer.colourMap).toHaveLength(256);
    expect(viewer.colourMap?.map((colour) => format.pixelOf(colour))).toEqual([...Array(256).keys()]);
  });
});

describe('a machine', () => {
  /** Answers every request with a change, and every update with a request, for a time. Returns the requests. */
  async function requestsWhile(
    ms: number,
    prepare: (rig: Awaited<ReturnType<typeof createConnected>>) => void,
  ) {
    const rig = await createConnected();
    rig.addViewer(1, novncEncodings);
    prepare(rig);
    const before = requestsOf(rig.toMachine).length;
    let answered = before;
    for (let at = 0; at < ms; at += 5) {
      rig.send(1, updateRequest(true));
      rig.clock.advance(5);
      const now = requestsOf(rig.toMachine).length;
      if (now === answered) continue;
      answered = now;
      rig.drawPixel(at % 128, 3, at);
    }
    return requestsOf(rig.toMachine).length - before;
  }

  test('is asked for at most 20 updates a second', async () => {
    const requests = await requestsWhile(2000, () => {});
    expect(requests).toBeGreaterThan(30);
    expect(requests).toBeLessThanOrEqual(41);
  });

  test('is asked once in two seconds if all viewers are thumbnails', async () => {
    const requests = await requestsWhile(10_000, ({ server }) => server.setThumbnail(1, true));
    expect(requests).toBeGreaterThanOrEqual(4);
    expect(requests).toBeLessThanOrEqual(6);
  });

  test('“the picture never changes”: is asked for a viewer that requests only complete pictures', async () => {
    const { addViewer, clock, machine, send, toMachine, viewers, drawPixel } = await createConnected();
    addViewer(1, novncEncodings);
    const before = requestsOf(toMachine).length;
    send(1, updateRequest(false));
    clock.advance(1000);
    expect(requestsOf(toMachine)).toHaveLength(before + 1);
    drawPixel(1, 1, 0x12_34_56);
    send(1, updateRequest(false));
    clock.advance(1000);
    expect(viewers.get(1)?.pixels).toEqual([...machine.picture.pixels]);
    // One request at a time, and none without a reason.
    clock.advance(60_000);
    expect(requestsOf(toMachine)).toHaveLength(before + 2);
    expect(clock.pending()).toBe(0);
  });

  test('is not asked for a viewer that is paused', async () => {
    expect(await requestsWhile(10_000, ({ server }) => server.setPaused(1, true))).toBe(0);
  });

  test('is not asked without viewers, and an idle screen has no timer', async () => {
    const { toMachine, clock, addViewer, send, drawPixel } = await createConnected();
    expect(requestsOf(toMachine)).toHaveLength(1);
    drawPixel(1, 1, 1);
    clock.advance(60_000);
    expect(requestsOf(toMachine)).toHaveLength(1);
    addViewer(1, novncEncodings);
    send(1, updateRequest(true));
    clock.advance(50);
    send(1, updateRequest(true));
    clock.advance(50);
    expect(requestsOf(toMachine)).toHaveLength(2);
    expect(clock.pending()).toBe(0);
  });

  test('that comes back with the same picture costs its viewers nothing', async () => {
    const { server, machine, addViewer, askForAll, events } = await createConnected();
    const viewer = addViewer(1, novncEncodings);
    askForAll(1);
    const { length } = viewer.updates;
    server.disconnect();
    askForAll(1);
    machine.connect();
    machine.deliver();
    askForAll(1);
    expect(viewer.updates).toHaveLength(length);
    expect(events.filter((event) => event === 'picture')).toHaveLength(2);
  });

  test('that comes back with another picture sends the tiles that differ', async () => {
    const { server, machine, addViewer, askForAll } = await createConnected();
    const viewer = addViewer(1, novncEncodings);
    askForAll(1);
    const { length } = viewer.updates;
    server.disconnect();
    machine.picture.pixels[127] = 0x12_34_57;
    machine.connect();
    machine.deliver();
    askForAll(1);
    expect(viewer.updates.slice(length).map(({ encodings }) => encodings)).toEqual([[7]]);
    expect(viewer.pixels).toEqual(expectedPixels(viewer, machine));
  });

  test('that was lost in the middle of an update shows all of its picture when it comes back', async () => {
    const { server, machine, addViewer, askForAll } = await createConnected();
    const viewer = addViewer(1, novncEncodings);
    const halfDrawn = update(
      rawRectangle(
        0,
        0,
        60,
        60,
        Array.from({ length: 3600 }, () => 0xff_00_00),
      ),
    );
    server.onMachineBytes(halfDrawn.subarray(0, 5000));
    server.disconnect();
    askForAll(1);
    machine.connect();
    machine.deliver();
    askForAll(1);
    expect(viewer.pixels).toEqual(expectedPixels(viewer, machine));
  });

  test('that sends no picture has failed, but not while its bytes arrive', async () => {
    const rig = await createPictureServerRig();
    const machine = new DrawnMachine(rig, createSeededRandom(1), 100, 100);
    machine.connect();
    for (let i = 0; i < 5; i++) {
      rig.clock.advance(9000);
      machine.deliver(100);
    }
    expect(rig.events).toEqual([]);
    rig.clock.advance(20_000);
    expect(rig.events).toEqual(['failed: the VNC server sent no picture']);
    machine.deliver();
    expect(rig.events).toHaveLength(1);
    expect(rig.clock.pending()).toBe(0);
  });

  test('that breaks the protocol has failed, and its last picture stays', async () => {
    const { server, events, addViewer, askForAll, machine } = await createConnected();
    server.onMachineBytes(Buffer.of(77));
    expect(events.at(-1)).toBe('failed: the VNC server sent message type 77');
    const viewer = addViewer(1, novncEncodings);
    askForAll(1);
    expect(viewer.pixels).toEqual(expectedPixels(viewer, machine));
  });

  test('reports what is not picture: the bell, the clipboard, and extended keys', async () => {
    const { server, events } = await createConnected();
    events.length = 0;
    server.onMachineBytes(
      Buffer.concat([
        Buffer.of(2),
        Buffer.of(3, 0, 0, 0),
        u32(2),
        Buffer.from('hi'),
        Buffer.of(3, 0, 0, 0),
        u32(-5),
        u32(9),
        Buffer.of(1),
        update(Buffer.concat([u16(0), u16(0), u16(0), u16(0), u32(-258)])),
      ]),
    );
    expect(events).toEqual(['bell', 'text hi', 'clipboard 9', 'extended keys']);
  });
});
