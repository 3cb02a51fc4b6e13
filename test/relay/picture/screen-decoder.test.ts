import { ScreenDecoder, type ScreenDecoderEvents } from '@porthole/relay/picture/screen-decoder';
import { tileSize, type Framebuffer } from '@porthole/relay/picture/framebuffer';
import { byteByByte, randomChunks } from '../chunks.ts';
import { u16, u32 } from '../rfb/bytes.ts';
import { update } from '../rfb/server-stream.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { DrawnPicture } from './drawn-picture.ts';

function createDecoder() {
  const events: string[] = [];
  let framebuffer: Framebuffer | undefined;
  const listener: ScreenDecoderEvents = {
    onResize(resized) {
      framebuffer = resized;
      events.push(`resize ${resized.width}x${resized.height}`);
    },
    onUpdate: () => void events.push('update'),
    onCursor: ({ width, height, hotspotX, hotspotY, pixels, mask }) =>
      void events.push(
        `cursor ${width}x${height} at ${hotspotX},${hotspotY} ${pixels.length}+${mask.length}`,
      ),
    onBell: () => void events.push('bell'),
    onCutText: (text) => void events.push(`text ${text}`),
    onClipboard: (flags, body) => void events.push(`clipboard ${flags} ${body.toString('latin1')}`),
    onLedState: (state) => void events.push(`leds ${state}`),
    onExtendedDesktopSize: (reason, status) => void events.push(`size for ${reason}, status ${status}`),
    onExtendedKeys: () => void events.push('extended keys'),
  };
  return {
    decoder: new ScreenDecoder(listener),
    events,
    framebuffer: () => {
      if (!framebuffer) throw new Error('there is no picture');
      return framebuffer;
    },
  };
}

const serverInit = (width: number, height: number) =>
  Buffer.concat([u16(width), u16(height), Buffer.alloc(16), u32(0)]);

const rectangle = (
  x: number,
  y: number,
  width: number,
  height: number,
  encoding: number,
  ...body: Buffer[]
) => Buffer.concat([u16(x), u16(y), u16(width), u16(height), u32(encoding), ...body]);

/** A decoder with a picture of 100 by 80 pixels. */
function createStarted() {
  const started = createDecoder();
  started.decoder.push(serverInit(100, 80));
  started.events.length = 0;
  return started;
}

describe('the decoder of a screen', () => {
  test('draws what a machine draws in Raw, CopyRect and Hextile, however the bytes are split', () => {
    const random = createSeededRandom(1);
    for (let round = 0; round < 60; round++) {
      const picture = new DrawnPicture(1 + random(150), 1 + random(150), random);
      const { decoder, framebuffer } = createDecoder();
      decoder.push(picture.serverInit());
      for (let i = 0; i < 5; i++) {
        const { message } = picture.draw();
        const chunks = round % 3 === 0 ? [message] : randomChunks(message, random);
        for (const chunk of chunks) decoder.push(chunk);
      }
      expect([...framebuffer().pixels]).toEqual(picture.pixels);
    }
  });

  test('gives the tiles that an update changed its version, and no others', () => {
    const random = createSeededRandom(2);
    const picture = new DrawnPicture(300, 200, random);
    const { decoder, framebuffer } = createDecoder();
    decoder.push(picture.serverInit());
    for (let version = 1; version <= 100; version++) {
      const before = [...framebuffer().tileVersions];
      const { message, regions } = picture.draw();
      decoder.push(message);
      const { columns, tileVersions } = framebuffer();
      for (const [index, now] of tileVersions.entries()) {
        const left = (index % columns) * tileSize;
        const top = Math.floor(index / columns) * tileSize;
        const changed = regions.some(
          ({ x, y, width, height }) =>
            width > 0 &&
            height > 0 &&
            x < left + tileSize &&
            x + width > left &&
            y < top + tileSize &&
            y + height > top,
        );
        expect(now).toBe(changed ? version : before[index]);
      }
    }
  });

  test('reports the cursor, the bell, the clipboard, the LEDs and extended keys, byte by byte', () => {
    const { decoder, events } = createStarted();
    const stream = Buffer.concat([
      Buffer.of(2),
      update(
        rectangle(1, 2, 9, 3, -239, Buffer.alloc(4 * 27 + 6)),
        rectangle(0, 0, 0, 0, -261, Buffer.of(5)),
        rectangle(0, 0, 0, 0, -258),
      ),
      Buffer.concat([Buffer.of(3, 0, 0, 0), u32(5), Buffer.from('hello')]),
      Buffer.concat([Buffer.of(3, 0, 0, 0), u32(-7), u32(1), Buffer.from('zip')]),
      Buffer.concat([Buffer.of(1, 0), u16(0), u16(2), Buffer.alloc(12)]),
      Buffer.of(2),
    ]);
    for (const chunk of byteByByte(stream)) decoder.push(chunk);
    expect(events).toEqual([
      'bell',
      'cursor 9x3 at 1,2 108+6',
      'leds 5',
      'extended keys',
      'update',
      'text hello',
      'clipboard 1 zip',
      'bell',
    ]);
  });

  test('has a new picture after a change of the size, and its tiles are all newer than before', () => {
    const { decoder, events, framebuffer } = createStarted();
    decoder.push(update(rectangle(0, 0, 200, 100, -223)));
    expect(events).toEqual(['resize 200x100', 'update']);
    expect([...framebuffer().tileVersions]).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    const screens = Buffer.concat([Buffer.of(1, 0, 0, 0), Buffer.alloc(16)]);
    decoder.push(update(rectangle(0, 0, 50, 40, -308, screens)));
    decoder.push(update(rectangle(1, 3, 70, 60, -308, screens)));
    expect(events.slice(2)).toEqual([
      'resize 50x40',
      'size for 0, status 0',
      'update',
      'size for 1, status 3',
      'update',
    ]);
    expect(framebuffer().width).toBe(50);
    expect(framebuffer().version).toBe(3);
  });

  test('ends an update at LastRect', () => {
    const { decoder, events } = createStarted();
    decoder.push(Buffer.concat([Buffer.of(0, 0), u16(0xffff), rectangle(0, 0, 0, 0, -224)]));
    expect(events).toEqual(['update']);
  });
});

describe('a hostile machine', () => {
  const invalid: Readonly<Record<string, Buffer>> = {
    'a rectangle outside of the picture': update(rectangle(90, 0, 11, 1, 0)),
    'a rectangle of 65535 by 65535 pixels': update(rectangle(0, 0, 0xffff, 0xffff, 0)),
    'a rectangle of 8 GiB in Raw': update(rectangle(0, 0, 46_341, 46_341, 0)),
    'a rectangle of 8 GiB in Hextile': update(rectangle(0, 0, 46_341, 46_341, 5)),
    'a copy from outside of the picture': update(rectangle(0, 0, 10, 10, 1, u16(95), u16(0))),
    'a subrectangle outside of its tile': update(
      rectangle(0, 0, 8, 8, 5, Buffer.of(8, 1), Buffer.of(0x70, 0x10)),
    ),
    'a picture of 65535 by 65535': update(rectangle(0, 0, 0xffff, 0xffff, -223)),
    'a picture of 8192 by 8192': update(rectangle(0, 0, 8192, 8192, -223)),
    'a cursor of 65535 by 65535': update(rectangle(0, 0, 0xffff, 0xffff, -239)),
    'a text of 2 GiB': Buffer.concat([Buffer.of(3, 0, 0, 0), u32(0x7fff_ffff)]),
    'an extended clipboard message of 2 GiB': Buffer.concat([Buffer.of(3, 0, 0, 0), u32(0x8000_0000)]),
    'an extended clipboard message without flags': Buffer.concat([Buffer.of(3, 0, 0, 0), u32(-3)]),
    'an encoding that was not offered': update(rectangle(0, 0, 10, 10, 7)),
    'an unknown message': Buffer.of(77),
  };
  test.each(Object.keys(invalid))('ends its screen with %s', (name) => {
    const { decoder } = createStarted();
    const before = process.memoryUsage().arrayBuffers;
    expect(() => decoder.push(invalid[name] ?? Buffer.alloc(0))).toThrow(
      expect.objectContaining({ code: 'proxmox_invalid_response' }),
    );
    // Whatever is claimed, no memory is taken for it.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
  });

  test('a claimed picture of 8192 by 8192 is refused before its memory is allocated', () => {
    const { decoder } = createDecoder();
    const before = process.memoryUsage().arrayBuffers;
    expect(() => decoder.push(serverInit(8192, 8192))).toThrow(
      expect.objectContaining({ code: 'proxmox_invalid_response' }),
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
  });

  test('a name of 4 GiB costs no memory', () => {
    const { decoder } = createDecoder();
    decoder.push(Buffer.concat([u16(10), u16(10), Buffer.alloc(16), u32(0xffff_ffff)]));
    const before = process.memoryUsage().arrayBuffers;
    const chunk = Buffer.alloc(64 * 1024);
    for (let i = 0; i < 1000; i++) decoder.push(chunk);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024);
  });
});
