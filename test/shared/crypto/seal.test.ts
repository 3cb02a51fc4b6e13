import fc from 'fast-check';
import { systemRandom } from '@porthole/shared/crypto/random';
import { seal, unseal, type SealContext } from '@porthole/shared/crypto/seal';

const aKey = fc.string({ minLength: 32, maxLength: 64 });
const aContext: fc.Arbitrary<SealContext> = fc.record({
  token: fc.uint8Array({ minLength: 16, maxLength: 32 }),
  purpose: fc.string({ minLength: 1, maxLength: 30 }),
  storeKey: fc.string({ minLength: 1, maxLength: 80 }),
});
const context: SealContext = {
  token: Buffer.alloc(32, 7),
  purpose: 'porthole test v1',
  storeKey: 'porthole:test:1',
};
const key = 'k'.repeat(40);

describe('a sealed record', () => {
  test('opens with the same key in the same context, whatever was sealed', () => {
    fc.assert(
      fc.property(aKey, aContext, fc.string({ unit: 'binary' }), (secret, where, plain) => {
        const sealed = seal(() => [secret], systemRandom, where, plain);
        expect(unseal(() => [secret], where, sealed)).toBe(plain.toWellFormed());
      }),
    );
  });

  test('opens with any key of the list, so that keys rotate without a gap', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(aKey, { minLength: 1, maxLength: 4 }),
        fc.uniqueArray(aKey, { maxLength: 3 }),
        (older, newer) => {
          const sealed = seal(() => older, systemRandom, context, 'kept');
          expect(unseal(() => [...newer, ...older], context, sealed)).toBe('kept');
        },
      ),
    );
  });

  test('is sealed with the first key only', () => {
    const sealed = seal(() => ['a'.repeat(32), 'b'.repeat(32)], systemRandom, context, 'x');
    expect(unseal(() => ['b'.repeat(32)], context, sealed)).toBeUndefined();
    expect(unseal(() => ['a'.repeat(32)], context, sealed)).toBe('x');
  });

  test('does not open after its key was removed, or without keys', () => {
    const sealed = seal(() => [key], systemRandom, context, 'x');
    expect(unseal(() => ['z'.repeat(40)], context, sealed)).toBeUndefined();
    expect(unseal(() => [], context, sealed)).toBeUndefined();
  });

  test('does not open after any single bit of it was changed', () => {
    const sealed = Buffer.from(
      seal(() => [key], systemRandom, context, 'the plain text'),
      'base64url',
    );
    for (let at = 0; at < sealed.length; at++)
      for (let bit = 0; bit < 8; bit++) {
        const altered = Buffer.from(sealed);
        altered[at] = (altered[at] ?? 0) ^ (1 << bit);
        expect(unseal(() => [key], context, altered.toString('base64url'))).toBeUndefined();
      }
  });

  test('does not open after it was truncated or extended', () => {
    const sealed = Buffer.from(
      seal(() => [key], systemRandom, context, 'the plain text'),
      'base64url',
    );
    for (let length = 0; length < sealed.length; length++)
      expect(unseal(() => [key], context, sealed.subarray(0, length).toString('base64url'))).toBeUndefined();
    const longer = Buffer.concat([sealed, Buffer.of(0)]).toString('base64url');
    expect(unseal(() => [key], context, longer)).toBeUndefined();
  });

  test('does not open with another token, purpose or store key', () => {
    fc.assert(
      fc.property(aContext, aContext, (here, there) => {
        const sealed = seal(() => [key], systemRandom, here, 'x');
        for (const field of ['token', 'purpose', 'storeKey'] as const) {
          const moved = { ...here, [field]: there[field] };
          const same = Buffer.from(moved[field]).equals(Buffer.from(here[field]));
          expect(unseal(() => [key], moved, sealed)).toBe(same ? 'x' : undefined);
        }
      }),
    );
  });

  test('does not open, and does not throw, if it is garbage', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (garbage) => {
        expect(unseal(() => [key], context, garbage)).toBeUndefined();
      }),
    );
  });

  test('reveals nothing of its content, and differs each time', () => {
    const plain = 'user=anna;machine=lab-100';
    const [one, two] = [0, 1].map(() => seal(() => [key], systemRandom, context, plain));
    expect(one).not.toBe(two);
    expect(Buffer.from(one ?? '', 'base64url').toString('latin1')).not.toContain('anna');
    expect(one).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  test('cannot be sealed without a key', () => {
    expect(() => seal(() => [], systemRandom, context, 'x')).toThrow('no grant key');
  });
});
