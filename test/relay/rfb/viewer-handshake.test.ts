import fc from 'fast-check';
import { rfbVersion } from '@porthole/relay/rfb/handshake-constants';
import { createViewerHandshake } from '@porthole/relay/rfb/viewer-handshake';
import { byteByByte } from '../chunks.ts';
import { u32 } from './bytes.ts';
import { expectSameOutcome, outcomeOf } from './handshake-outcome.ts';

const outcome = (...parts: readonly (Buffer | readonly number[])[]) =>
  expectSameOutcome(createViewerHandshake, parts);

describe('the handshake with a viewer', () => {
  test('offers only the security type None, and keeps what follows ClientInit as the leftover', () => {
    expect(outcome(rfbVersion, [1], [1], Buffer.from('SetPixelFormat'))).toEqual({
      sent: Buffer.concat([Buffer.of(1, 1), u32(0)]).toString('hex'),
      done: true,
      leftover: Buffer.from('SetPixelFormat').toString('hex'),
    });
  });

  test('accepts any shared flag', () => {
    for (const shared of [0, 1, 255])
      expect(outcome(rfbVersion, [1, shared])).toMatchObject({ done: true, leftover: '' });
  });

  test.each(['RFB 003.003\n', 'RFB 003.007\n', 'GET / HTTP/1.1\r\n'])(
    'refuses a viewer whose version is %j',
    (version) => {
      expect(outcome(Buffer.from(version))).toMatchObject({ error: { code: 'viewer_protocol' } });
    },
  );

  test('refuses a security type that was not offered', () => {
    for (const type of [0, 2, 19, 255])
      expect(outcome(rfbVersion, [type])).toMatchObject({ error: { code: 'viewer_protocol' } });
  });

  test('succeeds or fails with a documented error, whatever the viewer sends', () => {
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
