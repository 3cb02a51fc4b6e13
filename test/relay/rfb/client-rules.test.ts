import fc from 'fast-check';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { createClientMessageFilter } from '@porthole/relay/rfb/client-messages';
import { clipboardActions } from '@porthole/relay/rfb/clipboard';
import { createScreenPolicy } from '@porthole/relay/rfb/screen-policy';
import { createFakeClock } from '../../fakes/clock.ts';
import { byteByByte } from './cuts.ts';
import { loadNovnc, written, type OutgoingBytes } from './novnc.ts';
import { pixelFormatBytes, serverInit, u16, u32 } from './server-stream.ts';

const { caps, request, peek, notify, provide } = clipboardActions;

const plain = Buffer.concat([Buffer.of(6, 0, 0, 0), u32(6), Buffer.from('secret')]);
const extended = (flags: number, body: Buffer = Buffer.alloc(0)) =>
  Buffer.concat([Buffer.of(6, 0, 0, 0), u32(-4 - body.length), u32(flags), body]);
const setEncodings = (...encodings: number[]) =>
  Buffer.concat([Buffer.of(2, 0), u16(encodings.length), ...encodings.map(u32)]);
const setPixelFormat = (format: Buffer) => Buffer.concat([Buffer.of(0, 0, 0, 0), format]);
const updateRequest = Buffer.of(3, 1, 0, 0, 0, 0, 0, 9, 0, 9);
const colours32 = pixelFormatBytes({ bits: 32 });
const colours16 = pixelFormatBytes({ bits: 16, max: [31, 63, 31] });

/** A session of that grant, and what passes of what its viewer sends. */
function session(claims: Pick<GrantClaims, 'clipboard' | 'updatesPerSecond'>, viewOnly = false) {
  const clock = createFakeClock();
  const policy = createScreenPolicy({ clock, claims, send: () => true });
  const filter = createClientMessageFilter({ viewOnly, onHumanInput: () => {}, rule: policy.rule });
  let fromMachine: ((bytes: Buffer) => void) | undefined;
  const link = {
    send: () => true,
    buffered: 0,
    framesSent: 0,
    pause() {},
    resume() {},
    handle: (handler: { bytes(source: Buffer, start: number, end: number): void }) => {
      fromMachine = (bytes) => handler.bytes(bytes, 0, bytes.length);
    },
    destroy() {},
  };
  policy.read({ link, takeLeftover: () => Buffer.alloc(0) }).link.handle({ bytes() {}, ended() {} });
  return {
    send: (...chunks: Buffer[]) => Buffer.concat(chunks.flatMap((chunk) => filter.push(chunk))),
    machineSays: (bytes: Buffer) => fromMachine?.(bytes),
  };
}

describe('the clipboard of a viewer', () => {
  const texts = [plain, extended(notify | 1), extended(provide | 1, Buffer.from('secret'))];
  const questions = [extended(request | 1), extended(peek)];
  const offer = extended(caps | request | peek | notify | provide | 1, u32(0));
  const everything = Buffer.concat([...texts, ...questions, offer]);

  test.each([
    ['both', everything],
    [undefined, everything],
    ['in', Buffer.concat([...texts, offer])],
    ['out', Buffer.concat([...questions, offer])],
    ['none', Buffer.alloc(0)],
  ] as const)('that may go "%s" passes as far as that', (clipboard, expected) => {
    const claims = clipboard === undefined ? {} : { clipboard };
    expect(session(claims).send(everything)).toEqual(expected);
    expect(session(claims).send(...byteByByte(everything))).toEqual(expected);
    expect(session(claims, true).send(everything)).toHaveLength(0);
  });

  test('passes nothing that mixes what it may say with what it may not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xff }), fc.uint8Array({ maxLength: 40 }), (bits, body) => {
        const flags = (bits << 24) | 1;
        const message = extended(flags, Buffer.from(body));
        const isOffer = (flags & caps) !== 0;
        // QEMU does each thing whose bit is set.
        const gives = (flags & (notify | provide)) !== 0;
        const asks = (flags & (request | peek)) !== 0;
        if (!isOffer && gives) expect(session({ clipboard: 'out' }).send(message)).toHaveLength(0);
        if (!isOffer && asks) expect(session({ clipboard: 'in' }).send(message)).toHaveLength(0);
      }),
    );
  });

  test('is refused when it is too short to say what it is', () => {
    expect(() => session({}).send(Buffer.concat([Buffer.of(6, 0, 0, 0), u32(-3)]))).toThrow(
      expect.objectContaining({ code: 'viewer_protocol' }),
    );
  });
});

describe('what a viewer offers', () => {
  const novncs = [
    1, 50, 7, -260, 16, 21, 5, 2, 6, 0, -26, -254, -223, -224, -258, -261, -308, -309, -312, -313, -307,
  ];
  const more = [-1_063_131_698, -316, 0x574d_5664, -239];
  const all = setEncodings(...novncs, ...more);

  test('passes as it is where the clipboard goes both ways, or out alone', () => {
    for (const clipboard of ['both', 'out'] as const) expect(session({ clipboard }).send(all)).toEqual(all);
  });

  test('is cut to what can be followed where the machine must not give its clipboard away', () => {
    const kept = [1, 7, -260, 16, 6, 0, -26, -254, -223, -224, -258, -261, -308, -309, -312, -313, -307];
    for (const [clipboard, clip] of [
      ['in', [-1_063_131_698]],
      ['none', []],
    ] as const) {
      const { send, machineSays } = session({ clipboard });
      machineSays(serverInit(colours32));
      expect(send(all)).toEqual(setEncodings(...kept, ...clip, -316, -239));
    }
  });

  test('has no Tight in it while nobody knows how long its pixels are', () => {
    const early = session({ clipboard: 'none' });
    expect(early.send(setEncodings(7, -260, 16))).toEqual(setEncodings(16));
    const unclear = session({ clipboard: 'none' });
    unclear.machineSays(serverInit(colours32));
    const depth32 = setPixelFormat(pixelFormatBytes({ bits: 32, depth: 32 }));
    expect(unclear.send(depth32, setEncodings(7, 16))).toEqual(Buffer.concat([depth32, setEncodings(16)]));
  });

  test('has no updates without requests in it where these are counted', () => {
    const { send } = session({ updatesPerSecond: 2 });
    expect(send(setEncodings(16, -313, 0))).toEqual(setEncodings(16, 0));
    expect(send(Buffer.of(150, 1, 0, 0, 0, 0, 0, 9, 0, 9))).toHaveLength(0);
    expect(session({}).send(Buffer.of(150, 1, 0, 0, 0, 0, 0, 9, 0, 9))).toHaveLength(10);
  });

  test('of what noVNC offers, leaves it with the encodings that it likes best', async () => {
    const novnc = await loadNovnc();
    const offer = novnc.messages['clientEncodings'] as (socket: OutgoingBytes, encodings: number[]) => void;
    const offered = written((socket) => offer(socket, novncs));
    const { send, machineSays } = session({ clipboard: 'none' });
    machineSays(serverInit(colours32));
    const passed = send(offered);
    for (const encoding of [7, 16, -308, -258]) expect(passed.includes(u32(encoding))).toBe(true);
  });
});

describe('the pixel format where the machine must not give its clipboard away', () => {
  const limited = () => {
    const made = session({ clipboard: 'in' });
    made.machineSays(serverInit(colours32));
    return made;
  };
  const refused = expect.objectContaining({ code: 'viewer_protocol' });

  test('is set before pictures are asked for, and may be set again as it is', () => {
    const { send } = limited();
    expect(send(setPixelFormat(colours16), setPixelFormat(colours32))).toHaveLength(40);
    expect(send(setEncodings(0), updateRequest, setPixelFormat(colours32))).toHaveLength(8 + 10 + 20);
  });

  test.each([
    ['encodings were offered', setEncodings(0)],
    ['pictures were asked for', updateRequest],
  ])('can not be changed when %s', (_, begin) => {
    const { send } = limited();
    send(begin);
    expect(() => send(setPixelFormat(colours16))).toThrow(refused);
  });

  test('is refused when servers make something of their own of it', () => {
    for (const odd of [
      pixelFormatBytes({ bits: 24 }),
      pixelFormatBytes({ bits: 32, trueColour: false }),
      pixelFormatBytes({ bits: 0 }),
    ])
      expect(() => limited().send(setPixelFormat(odd))).toThrow(refused);
  });

  test('is nobody’s concern elsewhere', () => {
    const { send } = session({ clipboard: 'out' });
    expect(send(updateRequest, setPixelFormat(colours16), setPixelFormat(colours32))).toHaveLength(50);
  });
});
