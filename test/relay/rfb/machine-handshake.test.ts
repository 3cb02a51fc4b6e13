import fc from 'fast-check';
import { rfbVersion } from '@porthole/relay/rfb/handshake-constants';
import { createMachineHandshake } from '@porthole/relay/rfb/machine-handshake';
import { vncResponse } from '../../fakes/guests/vnc-des.ts';
import { byteByByte } from '../chunks.ts';
import { u32 } from './bytes.ts';
import { expectSameOutcome, outcomeOf } from './handshake-outcome.ts';

const create = () => createMachineHandshake('password');
const outcome = (...parts: readonly (Buffer | readonly number[])[]) => expectSameOutcome(create, parts);
const reason = (text: string, length = text.length) =>
  Buffer.concat([u32(length), Buffer.from(text, 'latin1')]);
const challenge = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');

describe('the handshake with a machine’s VNC server', () => {
  test('is done after authentication, and keeps what follows as the leftover', () => {
    expect(outcome(rfbVersion, [1, 2], challenge, u32(0), Buffer.from('ServerInit'))).toEqual({
      sent: Buffer.concat([rfbVersion, Buffer.of(2), vncResponse('password', challenge)]).toString('hex'),
      done: true,
      leftover: Buffer.from('ServerInit').toString('hex'),
    });
  });

  test('chooses VNC Authentication among other security types', () => {
    expect(outcome(rfbVersion, [3, 1, 19, 2], challenge, u32(0))).toMatchObject({ done: true, leftover: '' });
  });

  test('sends nothing before the server’s version is complete', () => {
    expect(outcomeOf(create(), [Buffer.alloc(0)])).toEqual({ sent: '', done: false });
    expect(outcomeOf(create(), [Buffer.from('RFB 003.00')])).toEqual({ sent: '', done: false });
  });

  test.each([
    ['RFB 003.003\n', 'an old version'],
    ['RFB 003.889\n', 'Apple’s version'],
    ['HTTP/1.1 400 ', 'another protocol'],
  ])('refuses %j: %s', (version) => {
    expect(outcome(Buffer.from(version))).toMatchObject({ error: { code: 'proxmox_invalid_response' } });
  });

  test('refuses a server without VNC Authentication', () => {
    expect(outcome(rfbVersion, [2, 1, 19])).toMatchObject({ error: { code: 'proxmox_invalid_response' } });
  });

  test('logs the reason of a server that offers no security type', () => {
    expect(outcome(rfbVersion, [0], reason('Too many connections'))).toMatchObject({
      error: { code: 'console_auth_failed', detail: 'the VNC server says: Too many connections' },
    });
  });

  test('logs the reason for which the password was refused', () => {
    // QEMU includes the zero at the end of its text in the length.
    expect(outcome(rfbVersion, [1, 2], challenge, u32(1), reason('Authentication failed\0'))).toMatchObject({
      error: { code: 'console_auth_failed', detail: 'the VNC server says: Authentication failed' },
    });
    expect(outcome(rfbVersion, [1, 2], challenge, u32(2), reason(''))).toMatchObject({
      error: { code: 'console_auth_failed' },
    });
  });

  test('reads only the start of a long reason, and none of its control characters', () => {
    for (const length of [0xffff_ffff, 0x8000_0000, 5000]) {
      const long = reason('a\n\x1b[31m\0\xff'.repeat(500), length);
      const { error } = outcome(rfbVersion, [1, 2], challenge, u32(1), long) as {
        error: { detail: string };
      };
      expect(error.detail.length).toBeLessThanOrEqual(1100);
      expect(error.detail).toMatch(/^[\x20-\x7e]*$/);
    }
  });

  test('waits for a reason that has not arrived', () => {
    const incomplete = Buffer.concat([rfbVersion, Buffer.of(1, 2), challenge, u32(1), u32(22)]);
    expect(outcomeOf(create(), [incomplete])).toMatchObject({ done: false });
    expect(outcomeOf(create(), [incomplete])).not.toHaveProperty('error');
  });

  test('succeeds or fails with a documented error, whatever the server sends', () => {
    const withStart = (...start: Buffer[]) =>
      fc.uint8Array({ maxLength: 300 }).map((tail) => Buffer.concat([...start, tail]));
    const hostile = fc.oneof(
      withStart(),
      withStart(rfbVersion),
      withStart(rfbVersion, Buffer.of(1, 2), challenge),
    );
    fc.assert(
      fc.property(hostile, (bytes) => {
        const { error } = outcomeOf(create(), byteByByte(bytes));
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
