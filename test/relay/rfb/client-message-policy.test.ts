import fc from 'fast-check';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { ClientMessageFilter } from '@porthole/relay/rfb/client-message-filter';
import { clipboardActions } from '@porthole/relay/rfb/clipboard-policy';
import { createScreenPolicy } from '@porthole/relay/rfb/screen-policy';
import { createFakeClock } from '../../fakes/clock.ts';
import { byteByByte } from '../chunks.ts';
import { createMemoryLink, createRecordingHandler } from '../stream/memory-link.ts';
import { u32 } from './bytes.ts';
import { cutText, extendedCutText, setEncodings } from './client-stream.ts';
import { bytesWritten, loadNovnc, type OutgoingBytes } from './novnc.ts';
import { pixelFormatBytes, serverInit } from './server-stream.ts';

const { caps, request, peek, notify, provide } = clipboardActions;

const plain = cutText(6, Buffer.from('secret')).bytes;
const extended = (flags: number, body?: Buffer) => extendedCutText(flags, body).bytes;
const offer = (...encodings: number[]) => setEncodings(encodings).bytes;
const setPixelFormat = (format: Buffer) => Buffer.concat([Buffer.of(0, 0, 0, 0), format]);
const updateRequest = Buffer.of(3, 1, 0, 0, 0, 0, 0, 9, 0, 9);
const enableContinuousUpdates = Buffer.of(150, 1, 0, 0, 0, 0, 0, 9, 0, 9);
const colours32 = pixelFormatBytes({ bits: 32 });
const colours16 = pixelFormatBytes({ bits: 16, max: [31, 63, 31] });

/** A session with this grant. `send` returns what the machine gets of a viewer's messages. */
function createSession(claims: Pick<GrantClaims, 'clipboard' | 'updatesPerSecond'>, viewOnly = false) {
  const policy = createScreenPolicy({ clock: createFakeClock(), claims, send: () => true });
  const filter = new ClientMessageFilter({
    viewOnly,
    onHumanInput: () => {},
    policy: policy.clientMessages,
  });
  const machine = createMemoryLink();
  const upstream = policy.filterUpstream({ link: machine, takeLeftover: () => Buffer.alloc(0) });
  upstream.link.setHandler(createRecordingHandler().handler);
  return {
    send: (...chunks: Buffer[]) => Buffer.concat(chunks.flatMap((chunk) => filter.push(chunk))),
    receiveFromMachine: (bytes: Buffer) => machine.receive(bytes),
  };
}

describe('the clipboard messages of a viewer', () => {
  const texts = [plain, extended(notify | 1), extended(provide | 1, Buffer.from('secret'))];
  const requests = [extended(request | 1), extended(peek)];
  const capabilities = extended(caps | request | peek | notify | provide | 1, u32(0));
  const everything = Buffer.concat([...texts, ...requests, capabilities]);

  test.each([
    ['both', everything],
    [undefined, everything],
    ['in', Buffer.concat([...texts, capabilities])],
    ['out', Buffer.concat([...requests, capabilities])],
    ['none', Buffer.alloc(0)],
  ] as const)('are forwarded as far as the grant’s clipboard "%s" allows', (clipboard, expected) => {
    const claims = clipboard === undefined ? {} : { clipboard };
    expect(createSession(claims).send(everything)).toEqual(expected);
    expect(createSession(claims).send(...byteByByte(everything))).toEqual(expected);
    expect(createSession(claims, true).send(everything)).toHaveLength(0);
  });

  test('are dropped if they combine an allowed action with a forbidden one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xff }), fc.uint8Array({ maxLength: 40 }), (bits, body) => {
        const flags = (bits << 24) | 1;
        const message = extended(flags, Buffer.from(body));
        const hasCapabilities = (flags & caps) !== 0;
        // QEMU performs every action whose bit is set.
        const sendsText = (flags & (notify | provide)) !== 0;
        const requestsText = (flags & (request | peek)) !== 0;
        if (!hasCapabilities && sendsText)
          expect(createSession({ clipboard: 'out' }).send(message)).toHaveLength(0);
        if (!hasCapabilities && requestsText)
          expect(createSession({ clipboard: 'in' }).send(message)).toHaveLength(0);
      }),
    );
  });

  test('end the session if they are too short for their flags', () => {
    expect(() => createSession({}).send(Buffer.concat([Buffer.of(6, 0, 0, 0), u32(-3)]))).toThrow(
      expect.objectContaining({ code: 'viewer_protocol' }),
    );
  });
});

describe('the encodings that a viewer offers', () => {
  const novncEncodings = [
    1, 50, 7, -260, 16, 21, 5, 2, 6, 0, -26, -254, -223, -224, -258, -261, -308, -309, -312, -313, -307,
  ];
  const extendedClipboard = -1_063_131_698;
  const all = offer(...novncEncodings, extendedClipboard, -316, 0x574d_5664, -239);

  test('are forwarded unchanged if the machine’s clipboard may reach the viewer', () => {
    for (const clipboard of ['both', 'out'] as const)
      expect(createSession({ clipboard }).send(all)).toEqual(all);
  });

  test('are restricted to those that the relay can parse if it may not', () => {
    const parsable = [1, 7, -260, 16, 6, 0, -26, -254, -223, -224, -258, -261, -308, -309, -312, -313, -307];
    for (const [clipboard, clipboardEncodings] of [
      ['in', [extendedClipboard]],
      ['none', []],
    ] as const) {
      const session = createSession({ clipboard });
      session.receiveFromMachine(serverInit(colours32));
      expect(session.send(all)).toEqual(offer(...parsable, ...clipboardEncodings, -316, -239));
    }
  });

  test('do not include Tight while the size of its pixels is unknown or ambiguous', () => {
    const beforeServerInit = createSession({ clipboard: 'none' });
    expect(beforeServerInit.send(offer(7, -260, 16))).toEqual(offer(16));
    const ambiguous = createSession({ clipboard: 'none' });
    ambiguous.receiveFromMachine(serverInit(colours32));
    const depth32 = setPixelFormat(pixelFormatBytes({ bits: 32, depth: 32 }));
    expect(ambiguous.send(depth32, offer(7, 16))).toEqual(Buffer.concat([depth32, offer(16)]));
  });

  test('do not include continuous updates if the update rate is limited', () => {
    const { send } = createSession({ updatesPerSecond: 2 });
    expect(send(offer(16, -313, 0))).toEqual(offer(16, 0));
    expect(send(enableContinuousUpdates)).toHaveLength(0);
    expect(createSession({}).send(enableContinuousUpdates)).toHaveLength(10);
  });

  test('include those that noVNC prefers', async () => {
    const novnc = await loadNovnc();
    const write = novnc.messages['clientEncodings'] as (socket: OutgoingBytes, encodings: number[]) => void;
    const session = createSession({ clipboard: 'none' });
    session.receiveFromMachine(serverInit(colours32));
    const forwarded = session.send(bytesWritten((socket) => write(socket, novncEncodings)));
    for (const encoding of [7, 16, -308, -258]) expect(forwarded.includes(u32(encoding))).toBe(true);
  });
});

describe('the pixel format of a viewer that must not receive the machine’s clipboard', () => {
  const restricted = () => {
    const session = createSession({ clipboard: 'in' });
    session.receiveFromMachine(serverInit(colours32));
    return session;
  };
  const protocolError = expect.objectContaining({ code: 'viewer_protocol' });

  test('may be set before the first update request, and may be repeated unchanged after it', () => {
    const { send } = restricted();
    expect(send(setPixelFormat(colours16), setPixelFormat(colours32))).toHaveLength(40);
    expect(send(offer(0), updateRequest, setPixelFormat(colours32))).toHaveLength(8 + 10 + 20);
  });

  test.each([
    ['encodings were offered', offer(0)],
    ['an update was requested', updateRequest],
  ])('may not change after %s', (_, message) => {
    const { send } = restricted();
    send(message);
    expect(() => send(setPixelFormat(colours16))).toThrow(protocolError);
  });

  test('ends the session if servers interpret it differently', () => {
    for (const format of [
      pixelFormatBytes({ bits: 24 }),
      pixelFormatBytes({ bits: 32, trueColour: false }),
      pixelFormatBytes({ bits: 0 }),
    ])
      expect(() => restricted().send(setPixelFormat(format))).toThrow(protocolError);
  });
});

test('the pixel format of any other viewer may change at any time', () => {
  const { send } = createSession({ clipboard: 'out' });
  expect(send(updateRequest, setPixelFormat(colours16), setPixelFormat(colours32))).toHaveLength(50);
});
