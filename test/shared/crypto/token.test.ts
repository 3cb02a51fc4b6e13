import fc from 'fast-check';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createToken, decodeToken } from '@porthole/shared/crypto/token';

describe('a token', () => {
  test('has 43 characters of base64url and decodes to its 32 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const token = createToken(() => Buffer.from(bytes));
        expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
        expect(decodeToken(token)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  test('differs each time', () => {
    expect(createToken(systemRandom)).not.toBe(createToken(systemRandom));
  });

  test.each([
    '',
    'a'.repeat(42),
    'a'.repeat(44),
    `${'a'.repeat(42)}=`,
    `${'a'.repeat(43)}\n`,
    'ä'.repeat(43),
  ])('is not %j', (text) => expect(decodeToken(text)).toBeUndefined());
});
