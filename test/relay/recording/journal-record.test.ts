import fc from 'fast-check';
import { encodeRecordHead, readRecords } from '@porthole/relay/recording/journal-record';

const record = fc.record({
  kind: fc.constantFrom('append' as const, 'release' as const),
  name: fc.stringMatching(/^[a-z0-9/-]{1,80}$/),
  position: fc.nat(0xffff_ffff),
  pieces: fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 3 }),
});
const journal = fc.array(record, { maxLength: 8 }).map((records) => {
  const ends: number[] = [];
  const pieces: Uint8Array[] = [];
  for (const one of records) {
    pieces.push(encodeRecordHead(one, one.pieces), ...one.pieces);
    ends.push(Buffer.concat(pieces).length);
  }
  return { records, ends, file: Buffer.concat(pieces) };
});

const read = (file: Buffer) =>
  [...readRecords(file)].map(({ kind, name, position, offset, length }) => ({
    kind,
    name,
    position,
    bytes: file.subarray(offset, offset + length).toString('hex'),
  }));
const expected = (records: readonly (typeof record extends fc.Arbitrary<infer T> ? T : never)[]) =>
  records.map(({ kind, name, position, pieces }) => ({
    kind,
    name,
    position,
    bytes: Buffer.concat(pieces).toString('hex'),
  }));

test('the records of a journal are read as they were written, up to where the file ends', () => {
  fc.assert(
    fc.property(journal, fc.nat(1000), ({ records, ends, file }, cut) => {
      expect(read(file)).toEqual(expected(records));
      const length = Math.min(cut, file.length);
      const complete = ends.filter((end) => end <= length).length;
      expect(read(file.subarray(0, length))).toEqual(expected(records.slice(0, complete)));
    }),
  );
});

test('nothing is read from the first damaged byte of a journal on', () => {
  fc.assert(
    fc.property(journal, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ records, ends, file }, at, flip) => {
      fc.pre(file.length > 0);
      const damaged = Buffer.from(file);
      const place = at % file.length;
      damaged[place] = (damaged[place] ?? 0) ^ flip;
      const intact = ends.filter((end) => end <= place).length;
      expect(read(damaged)).toEqual(expected(records.slice(0, intact)));
    }),
  );
});
