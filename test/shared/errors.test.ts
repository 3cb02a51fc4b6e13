import {
  closeCodes,
  closeNameOf,
  type CloseCode,
  type CloseName,
} from '@porthole/shared/protocol/close-codes';
import { asPortholeError, errorKinds, PortholeError, type ErrorCode } from '@porthole/shared/errors';

const codes = Object.keys(errorKinds) as ErrorCode[];
const names = Object.keys(closeCodes) as CloseName[];

describe('the list of errors', () => {
  test.each(codes)('%s has a close code, a fitting status and a text that fits a close frame', (code) => {
    const { status, close, text } = errorKinds[code];
    expect(names).toContain(close);
    expect(Number.isInteger(status) && status >= 400 && status <= 599).toBe(true);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(123);
    expect(text).toMatch(/^[A-Z].*\.$/);
  });

  test.each(codes)('%s has a close code that fits its status', (code) => {
    const { status, close } = errorKinds[code];
    if (close === 'upstream') expect(status).toBe(502);
    if (close === 'timeout') expect(status).toBe(504);
    if (close === 'internal') expect(status).toBe(500);
    if (code.startsWith('proxmox_')) expect([502, 504]).toContain(status);
    if (status === 429) expect(['try_later', 'too_many']).toContain(close);
  });

  test('an error carries its kind, and keeps what is private out of its message', () => {
    const cause = new Error('connect ECONNREFUSED 10.0.0.7:8006');
    const error = new PortholeError('proxmox_unreachable', { detail: '10.0.0.7:8006', cause, retryAfter: 3 });
    expect(error).toMatchObject({
      name: 'PortholeError',
      code: 'proxmox_unreachable',
      status: 504,
      close: 'timeout',
      message: errorKinds.proxmox_unreachable.text,
      retryAfter: 3,
      cause,
    });
    expect(error.message).not.toContain('10.0.0.7');
  });

  test('whatever else was thrown is internal and keeps its cause', () => {
    const own = new PortholeError('idle');
    expect(asPortholeError(own)).toBe(own);
    for (const thrown of [new TypeError('x'), 'text', undefined, null, { code: 'idle' }])
      expect(asPortholeError(thrown)).toMatchObject({ code: 'internal', cause: thrown });
  });
});

describe('the list of close codes', () => {
  test.each(names)('%s has a code that may be sent and a text that fits', (name) => {
    const { code, text }: CloseCode = closeCodes[name];
    // RFC 6455 section 7.4: a close frame may contain these codes, and 4000 to 4999 are for private use.
    expect([1000, 1002, 1009, 1011, 1012, 1013].includes(code) || (code >= 4000 && code < 5000)).toBe(true);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(123);
    expect(closeNameOf(code)).toBe(name);
  });

  test('no two share a code', () => {
    expect(new Set(names.map((name) => closeCodes[name].code)).size).toBe(names.length);
  });

  test.each([1006, 1001, 1005, 4000, 0, -1, NaN])('%d is unknown', (code) => {
    expect(closeNameOf(code)).toBeUndefined();
  });

  test('each is used by an error', () => {
    const used = new Set<CloseName>(codes.map((code) => errorKinds[code].close));
    expect(names.filter((name) => !used.has(name))).toEqual([]);
  });
});
