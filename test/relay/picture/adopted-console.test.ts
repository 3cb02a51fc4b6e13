import { setPixelFormat as relayFormat, supportedEncodings } from '@porthole/relay/picture/screen-decoder';
import { u16, u32 } from '../rfb/bytes.ts';
import { compactLength, update } from '../rfb/server-stream.ts';
import { byteByByte } from '../chunks.ts';
import { createSeededRandom } from '../seeded-random.ts';
import {
  createPictureServerRig,
  DrawnMachine,
  expectedPixels,
  novncEncodings,
  setEncodings,
  updateRequest,
} from './picture-server-rig.ts';

const acknowledgment = (width: number, height: number) =>
  update(Buffer.concat([u16(0), u16(0), u16(width), u16(height), u32(-258)]));
/** An update as QEMU encodes it for noVNC. */
const tight = (width: number, height: number, ...body: Buffer[]) =>
  update(Buffer.concat([u16(0), u16(0), u16(width), u16(height), u32(7), ...body]));
const tightFill = tight(20, 20, Buffer.of(0x80, 255, 0, 0));
const data = (length: number) => Buffer.concat([compactLength(length), Buffer.alloc(length, 0xff)]);
const tightUpdates = [
  tightFill,
  tight(20, 20, Buffer.of(0x90), data(20_000)),
  tight(20, 20, Buffer.of(0x00), data(100)),
  tight(20, 20, Buffer.of(0x40, 0), data(300)),
  tight(20, 20, Buffer.of(0x50, 2), data(1)),
  tight(3, 1, Buffer.of(0x00), Buffer.alloc(9)),
  tight(40, 2, Buffer.of(0x60, 1, 1), Buffer.alloc(6), Buffer.alloc(10)),
  tight(40, 3, Buffer.of(0x60, 1, 1), Buffer.alloc(6), data(8)),
  tight(20, 20, Buffer.of(0x70, 1, 9), Buffer.alloc(30), data(200)),
];

async function createAdopting() {
  const rig = await createPictureServerRig();
  const machine = new DrawnMachine(rig, createSeededRandom(1), 100, 80);
  machine.draw();
  machine.discard();
  rig.server.connect('adopt');
  return { ...rig, machine };
}

describe('a console that a viewer has used before', () => {
  test('gets all keys up, then the relay’s format and encodings', async () => {
    const { toMachine } = await createAdopting();
    const [keys = Buffer.alloc(0), ...others] = toMachine;
    expect(others).toEqual([relayFormat, setEncodings(supportedEncodings)]);
    const events = Array.from({ length: keys.length / 12 }, (_, i) => keys.subarray(12 * i, 12 * i + 12));
    expect(events.map((event) => event.readUInt32BE(8))).toEqual(
      Array.from({ length: 255 }, (_, i) => i + 1),
    );
    // QEMU extended key events, none of which presses a key.
    for (const event of events) expect([...event.subarray(0, 4)]).toEqual([255, 0, 0, 0]);
    expect(events[0x2a - 1]?.readUInt32BE(4)).toBe(0xffe1);
  });

  test('is read from the acknowledgment of the encodings on, wherever the bytes are cut', async () => {
    // What was meant for the viewer, also what looks like the marker's beginning or end.
    const before = Buffer.concat([
      tightFill,
      acknowledgment(100, 80).subarray(0, 15),
      Buffer.from('fffffefefffffefe', 'hex'),
      Buffer.of(0, 9, 0, 1),
    ]);
    for (const split of [(bytes: Buffer) => [bytes], byteByByte]) {
      const { server, machine, events, addViewer, send } = await createAdopting();
      const stream = Buffer.concat([before, acknowledgment(100, 80), Buffer.of(2)]);
      for (const chunk of split(stream)) server.onMachineBytes(chunk);
      expect(events).toEqual(['extended keys', 'bell']);
      machine.deliver();
      expect(events).toEqual(['extended keys', 'bell', 'size 100x80', 'picture']);
      const viewer = addViewer(1, novncEncodings);
      send(1, updateRequest(true));
      expect(viewer.pixels).toEqual(expectedPixels(viewer, machine));
    }
  });

  test('shows its picture although an update in the viewer’s encoding was under way', async () => {
    for (const split of [(bytes: Buffer) => [bytes], byteByByte])
      for (const stale of tightUpdates) {
        const { server, machine, events } = await createAdopting();
        for (const chunk of split(Buffer.concat([acknowledgment(100, 80), stale, Buffer.of(2)])))
          server.onMachineBytes(chunk);
        machine.deliver();
        expect(events).toEqual(['extended keys', 'bell', 'size 100x80', 'picture']);
        expect(server.picture?.pixels.every((pixel, at) => pixel === machine.picture.pixels[at])).toBe(true);
      }
  });

  test('has failed if an update in the viewer’s encoding follows the whole picture', async () => {
    const { server, machine, events } = await createAdopting();
    server.onMachineBytes(acknowledgment(100, 80));
    machine.deliver();
    server.onMachineBytes(tightFill);
    expect(events.at(-1)).toBe('failed: the VNC server sent an update in Tight');
  });

  test.each([
    ['compression', Buffer.of(0xa0)],
    ['filter', Buffer.of(0x40, 3, 0)],
  ])('has failed if that update has an unknown %s', async (name, body) => {
    const { server, events } = await createAdopting();
    server.onMachineBytes(acknowledgment(100, 80));
    server.onMachineBytes(tight(20, 20, body));
    expect(events.at(-1)).toMatch(`failed: the VNC server sent Tight ${name}`);
  });

  test('has failed if nothing is acknowledged within two seconds', async () => {
    const { server, events, clock } = await createAdopting();
    for (let i = 0; i < 19; i++) {
      clock.advance(100);
      server.onMachineBytes(tightFill);
    }
    expect(events).toEqual([]);
    clock.advance(100);
    expect(events).toEqual(['failed: the VNC server did not acknowledge its new encodings']);
    server.onMachineBytes(acknowledgment(100, 80));
    expect(events).toHaveLength(1);
  });

  test('has failed if it claims a picture of 65535 by 65535', async () => {
    const { server, events } = await createAdopting();
    server.onMachineBytes(acknowledgment(65_535, 65_535));
    expect(events.at(-1)).toMatch(/^failed: the VNC server sent a picture of 65535 by 65535/);
  });

  test('can be followed by another connection after a failure', async () => {
    const { server, machine, events, clock } = await createAdopting();
    clock.advance(2000);
    machine.connect();
    machine.deliver();
    expect(events.slice(1)).toEqual(['size 100x80', 'picture']);
    server.stop();
    expect(clock.pending()).toBe(0);
  });
});
