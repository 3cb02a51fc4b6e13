import fc from 'fast-check';
import { rfbVersion } from '@porthole/relay/rfb/handshake';
import type { Handshake } from '@porthole/relay/stream/handshake';
import { createMachineHandshake } from '@porthole/relay/rfb/machine-handshake';
import { createViewerHandshake } from '@porthole/relay/rfb/viewer-handshake';
import { vncResponse } from '../../fakes/guests/vnc-des.ts';
import { byteByByte, cutAnywhere } from './cuts.ts';

interface Outcome {
  readonly sent?: string;
  readonly done?: boolean;
  readonly rest?: string;
  readonly error?: unknown;
}

/** What a handshake makes of bytes that come in these chunks. */
function outcomeOf(handshake: Handshake, chunks: readonly Buffer[]): Outcome {
  const sent: Buffer[] = [];
  let done = false;
  const rest: Buffer[] = [];
  try {
    for (const chunk of chunks) {
      if (done) rest.push(chunk);
      else {
        const answer = handshake.push(chunk);
        sent.push(...answer.send);
        done = answer.done;
        if (done) rest.push(handshake.leftover());
      }
    }
  } catch (error) {
    const { code, detail } = error as { code: unknown; detail: unknown };
    return { error: { code, detail } };
  }
  const hex = (parts: Buffer[]) => Buffer.concat(parts).toString('hex');
  return { sent: hex(sent), done, ...(done ? { rest: hex(rest) } : {}) };
}

/** However the bytes are cut, the outcome is the one of the whole. */
function expectAnyCut(create: () => Handshake, bytes: Buffer): Outcome {
  const whole = outcomeOf(create(), [bytes]);
  expect(outcomeOf(create(), byteByByte(bytes))).toEqual(whole);
  fc.assert(
    fc.property(cutAnywhere(bytes), (chunks) => {
      expect(outcomeOf(create(), chunks)).toEqual(whole);
    }),
  );
  return whole;
}

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const reason = (text: string, length = text.length) =>
  Buffer.concat([u32(length), Buffer.from(text, 'latin1')]);
const challenge = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');

describe("the handshake with a machine's VNC server", () => {
  const create = () => createMachineHandshake('password');
  const outcome = (...parts: readonly (Buffer | readonly number[])[]) =>
    expectAnyCut(create, Buffer.concat(parts.map((part) => Buffer.from(part))));

  test('ends with authentication, and keeps what came behind it', () => {
    expect(outcome(rfbVersion, [1, 2], challenge, u32(0), Buffer.from('ServerInit'))).toEqual({
      sent: Buffer.concat([rfbVersion, Buffer.of(2), vncResponse('password', challenge)]).toString('hex'),
      done: true,
      rest: Buffer.from('ServerInit').toString('hex'),
    });
  });

  test('finds VNC Authentication among other types', () => {
    expect(outcome(rfbVersion, [3, 1, 19, 2], challenge, u32(0))).toMatchObject({ done: true, rest: '' });
  });

  test('says nothing before the server has', () => {
    expect(outcomeOf(create(), [Buffer.alloc(0)])).toEqual({ sent: '', done: false });
    expect(outcomeOf(create(), [Buffer.from('RFB 003.00')])).toEqual({ sent: '', done: false });
  });

  test.each([
    ['RFB 003.003\n', 'an old version'],
    ['RFB 003.889\n', "Apple's version"],
    ['HTTP/1.1 400 ', 'no VNC at all'],
  ])('refuses %j: %s', (greeting) => {
    expect(outcome(Buffer.from(greeting))).toMatchObject({ error: { code: 'proxmox_invalid_response' } });
  });

  test('refuses a server without VNC Authentication', () => {
    expect(outcome(rfbVersion, [2, 1, 19])).toMatchObject({ error: { code: 'proxmox_invalid_response' } });
  });

  test('tells the log why a server offers no type at all', () => {
    expect(outcome(rfbVersion, [0], reason('Too many connections'))).toMatchObject({
      error: { code: 'console_auth_failed', detail: 'the VNC server says: Too many connections' },
    });
  });

  test('tells the log why a password was refused', () => {
    // QEMU counts the zero at the end of its text.
    expect(outcome(rfbVersion, [1, 2], challenge, u32(1), reason('Authentication failed\0'))).toMatchObject({
      error: { code: 'console_auth_failed', detail: 'the VNC server says: Authentication failed' },
    });
    expect(outcome(rfbVersion, [1, 2], challenge, u32(2), reason(''))).toMatchObject({
      error: { code: 'console_auth_failed' },
    });
  });

  test('reads no more than the beginning of an endless reason, and none of its control characters', () => {
    for (const length of [0xffff_ffff, 0x8000_0000, 5000]) {
      const endless = reason('a\n\x1b[31m\0\xff'.repeat(500), length);
      const { error } = outcome(rfbVersion, [1, 2], challenge, u32(1), endless) as {
        error: { detail: string };
      };
      expect(error.detail.length).toBeLessThanOrEqual(1100);
      expect(error.detail).toMatch(/^[\x20-\x7e]*$/);
    }
  });

  test('waits for a reason that has not come yet', () => {
    const cut = Buffer.concat([rfbVersion, Buffer.of(1, 2), challenge, u32(1), u32(22)]);
    expect(outcomeOf(create(), [cut])).toMatchObject({ done: false });
    expect(outcomeOf(create(), [cut])).not.toHaveProperty('error');
  });

  test('ends well or with one of our errors, whatever a server sends', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }).map((tail) => Buffer.concat([rfbVersion, tail])),
      fc
        .uint8Array({ maxLength: 300 })
        .map((tail) => Buffer.concat([rfbVersion, Buffer.of(1, 2), challenge, tail])),
    );
    fc.assert(
      fc.property(hostile, (bytes) => {
        const { error } = outcomeOf(create(), byteByByte(Buffer.from(bytes)));
        if (error !== undefined)
          expect(['proxmox_invalid_response', 'console_auth_failed']).toContain(
            (error as { code: string }).code,
          );
      }),
    );
  });

  test('never sends the password', () => {
    const { sent } = outcome(rfbVersion, [1, 2], challenge, u32(0));
    expect(Buffer.from(sent ?? '', 'hex').toString('latin1')).not.toContain('password');
  });
});

describe('the handshake with a viewer', () => {
  const outcome = (...parts: readonly (Buffer | readonly number[])[]) =>
    expectAnyCut(createViewerHandshake, Buffer.concat(parts.map((part) => Buffer.from(part))));

  test('offers no security type but None, takes ClientInit, and keeps what came behind it', () => {
    expect(outcome(rfbVersion, [1], [1], Buffer.from('SetPixelFormat'))).toEqual({
      sent: Buffer.concat([Buffer.of(1, 1), u32(0)]).toString('hex'),
      done: true,
      rest: Buffer.from('SetPixelFormat').toString('hex'),
    });
  });

  test('does not care whether the viewer wants to share', () => {
    for (const shared of [0, 1, 255])
      expect(outcome(rfbVersion, [1, shared])).toMatchObject({ done: true, rest: '' });
  });

  test.each(['RFB 003.003\n', 'RFB 003.007\n', 'GET / HTTP/1.1\r\n'])(
    'refuses a viewer that begins with %j',
    (text) => {
      expect(outcome(Buffer.from(text))).toMatchObject({ error: { code: 'viewer_protocol' } });
    },
  );

  test('refuses a security type that was not offered', () => {
    for (const type of [0, 2, 19, 255])
      expect(outcome(rfbVersion, [type])).toMatchObject({ error: { code: 'viewer_protocol' } });
  });

  test('ends well or with one of our errors, whatever a viewer sends', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.uint8Array({ maxLength: 64 }).map((tail) => Buffer.concat([rfbVersion, tail])),
    );
    fc.assert(
      fc.property(hostile, (bytes) => {
        const { error } = outcomeOf(createViewerHandshake(), byteByByte(Buffer.from(bytes)));
        if (error !== undefined) expect(error).toMatchObject({ code: 'viewer_protocol' });
      }),
    );
  });
});
