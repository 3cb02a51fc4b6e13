import fc from 'fast-check';
import { z } from 'zod';
import { systemRandom } from '@porthole/shared/crypto/random';
import { seal } from '@porthole/shared/crypto/seal';
import { createToken } from '@porthole/shared/crypto/token';
import { digest } from '@porthole/shared/store/keys';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import {
  addSealed,
  byDigest,
  byToken,
  deleteSealed,
  getSealed,
  openRecord,
  putSealed,
  removeSealed,
  replaceSealed,
  sealRecord,
  takeSealed,
  type SealedRecordType,
} from '@porthole/shared/store/sealed-records';
import { createFakeClock } from '../../fakes/clock.ts';

const schema = z.object({ name: z.string(), count: z.number().int() });
type Sample = z.infer<typeof schema>;

const storeKey = (token: Uint8Array) => `test:${digest(token)}`;
const samples = { purpose: 'porthole test v1', schema, locate: byToken(storeKey) } satisfies SealedRecordType<
  string,
  Sample
>;
const sample: Sample = { name: 'välue', count: 1 };

const aValue = fc.record({ name: fc.string({ unit: 'grapheme' }), count: fc.integer() });
const aKey = fc.string({ minLength: 32, maxLength: 64 });
const aToken = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'));
const aPurpose = fc.string({ minLength: 1, maxLength: 30 });

function aWorld() {
  const clock = createFakeClock();
  const { records } = createMemoryStore({ clock });
  return { clock, records, keys: () => ['k'.repeat(40)], random: systemRandom };
}

describe('a sealed record', () => {
  test('opens for the same key, record type and token, whatever its value', () => {
    fc.assert(
      fc.property(aKey, aPurpose, aToken, aValue, (key, purpose, token, value) => {
        const deps = { keys: () => [key], random: systemRandom };
        const type = { ...samples, purpose };
        const sealed = sealRecord(deps, type, token, value);
        expect(openRecord(deps.keys, type, token, sealed)).toEqual({ value, sealed });
      }),
    );
  });

  test('never opens for another purpose, key, token or store key', () => {
    const where = fc.record({
      key: aKey,
      purpose: aPurpose,
      token: aToken,
      prefix: fc.constantFrom('a:', 'b:'),
    });
    fc.assert(
      fc.property(
        where,
        where,
        fc.subarray(['key', 'purpose', 'token', 'prefix'] as const, { minLength: 1 }),
        (one, two, changed) => {
          const other = { ...one, ...Object.fromEntries(changed.map((name) => [name, two[name]])) };
          fc.pre(changed.some((name) => one[name] !== two[name]));
          const typeOf = ({ purpose, prefix }: typeof one) => ({
            purpose,
            schema,
            locate: byToken((token) => prefix + digest(token)),
          });
          const sealed = sealRecord(
            { keys: () => [one.key], random: systemRandom },
            typeOf(one),
            one.token,
            sample,
          );
          expect(openRecord(() => [other.key], typeOf(other), other.token, sealed)).toEqual({
            problem: 'not_authentic',
          });
        },
      ),
    );
  });

  test('does not open when it was truncated or altered', () => {
    const { keys, random } = aWorld();
    const token = createToken(systemRandom);
    const bytes = Buffer.from(sealRecord({ keys, random }, samples, token, sample), 'base64url');
    const opened = (altered: Buffer) => openRecord(keys, samples, token, altered.toString('base64url'));
    expect(opened(bytes)).toMatchObject({ value: sample });
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const altered = Buffer.from(bytes);
        altered[at] = (bytes[at] ?? 0) ^ mask;
        expect(opened(altered)).toEqual({ problem: 'not_authentic' });
        expect(opened(bytes.subarray(0, at))).toEqual({ problem: 'not_authentic' });
      }),
    );
  });

  test('is invalid when it does not match the schema or is not JSON', () => {
    const { keys, random } = aWorld();
    const token = createToken(systemRandom);
    const { locate, purpose } = samples;
    for (const plain of ['{"name":"a"}', 'not JSON', '', 'null']) {
      const { token: salt, storeKey: key } = locate(token) ?? { token: Buffer.alloc(0), storeKey: '' };
      const sealed = seal(keys, random, { token: salt, purpose, storeKey: key }, plain);
      expect(openRecord(keys, samples, token, sealed)).toEqual({ problem: 'invalid' });
    }
  });

  test('drops fields that the schema does not know', () => {
    const { keys, random } = aWorld();
    const token = createToken(systemRandom);
    const newer = { ...samples, schema: z.looseObject({}) };
    const sealed = sealRecord({ keys, random }, newer, token, { ...sample, added: 'by a newer version' });
    expect(openRecord(keys, samples, token, sealed)).toEqual({ value: sample, sealed });
  });
});

describe('a sealed record in the store', () => {
  test('is read any number of times, and taken once', async () => {
    const world = aWorld();
    const token = createToken(systemRandom);
    const sealed = await putSealed(world, samples, token, sample, 1000);
    for (let round = 0; round < 2; round++)
      expect(await getSealed(world, samples, token)).toEqual({ value: sample, sealed });
    expect(await takeSealed(world, samples, token)).toEqual({ value: sample, sealed });
    expect(await takeSealed(world, samples, token)).toEqual({ problem: 'not_found' });
  });

  test('expires', async () => {
    const world = aWorld();
    const token = createToken(systemRandom);
    await putSealed(world, samples, token, sample, 1000);
    world.clock.advance(1000);
    expect(await getSealed(world, samples, token)).toEqual({ problem: 'not_found' });
  });

  test('is replaced and removed only with its sealed text', async () => {
    const world = aWorld();
    const token = createToken(systemRandom);
    const first = await putSealed(world, samples, token, sample, 1000);
    const second = await replaceSealed(world, samples, token, first, { ...sample, count: 2 }, 1000);
    expect(await getSealed(world, samples, token)).toEqual({
      value: { ...sample, count: 2 },
      sealed: second,
    });
    expect(await replaceSealed(world, samples, token, first, sample, 1000)).toBeUndefined();
    expect(await removeSealed(world.records, samples, token, first)).toBe(false);
    expect(await removeSealed(world.records, samples, token, second ?? '')).toBe(true);
    expect(await getSealed(world, samples, token)).toEqual({ problem: 'not_found' });
  });

  test('is added only where there is none', async () => {
    const world = aWorld();
    const token = createToken(systemRandom);
    const sealed = await addSealed(world, samples, token, sample, 1000);
    expect(await addSealed(world, samples, token, { ...sample, count: 2 }, 1000)).toBeUndefined();
    expect(await getSealed(world, samples, token)).toEqual({ value: sample, sealed });
  });

  test('is deleted, and deleting it again is harmless', async () => {
    const world = aWorld();
    const token = createToken(systemRandom);
    await putSealed(world, samples, token, sample, 1000);
    await deleteSealed(world.records, samples, token);
    await deleteSealed(world.records, samples, token);
    expect(await getSealed(world, samples, token)).toEqual({ problem: 'not_found' });
  });

  test('with a malformed token is not requested from the store', async () => {
    const unused = () => Promise.reject(new Error('The store was asked.'));
    const world = { ...aWorld(), records: { get: unused, take: unused, delete: unused, put: unused } };
    for (const token of ['', 'short', `${'a'.repeat(43)}\n`, 'ä'.repeat(43), 'a'.repeat(44)]) {
      expect(await getSealed(world, samples, token)).toEqual({ problem: 'malformed_id' });
      expect(await takeSealed(world, samples, token)).toEqual({ problem: 'malformed_id' });
      await deleteSealed(world.records, samples, token);
      await expect(putSealed(world, samples, token, sample, 1000)).rejects.toThrow('malformed id');
    }
  });

  test('is located by a digest without a token', async () => {
    const world = aWorld();
    const type = { purpose: 'porthole test v1', schema, locate: byDigest((name) => `test:${name}`) };
    await putSealed(world, type, digest('anna'), sample, 1000);
    expect(await world.records.get(`test:${digest('anna')}`)).not.toContain('välue');
    expect(await getSealed(world, type, digest('anna'))).toMatchObject({ value: sample });
    expect(await getSealed(world, type, digest('ben'))).toEqual({ problem: 'not_found' });
  });
});
