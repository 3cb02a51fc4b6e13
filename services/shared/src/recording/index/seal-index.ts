import { deflateRawSync } from 'node:zlib';
import type { PartAddress } from '../names.ts';
import { encodeObjectHeader } from '../object/object-header.ts';
import type { PartKey } from '../object/part-key.ts';
import { sealSegment } from '../object/segment.ts';
import type { PartDetails, PartSummary } from './part-index.ts';

/** Returns the object of an index: the summary and the details, in a segment each. */
export function sealIndex(
  part: { readonly address: PartAddress; readonly partKey: PartKey; readonly lastHash: Uint8Array },
  { summary, details }: { readonly summary: PartSummary; readonly details: PartDetails },
): Buffer {
  const { address, partKey, lastHash } = part;
  const number = summary.revision;
  const { keyId, sealedKey } = partKey;
  const header = encodeObjectHeader({
    ...address,
    kind: 'index',
    number,
    previousHash: lastHash,
    keyId,
    sealedKey,
  });
  const segments = [summary, details].flatMap((value, segment) => {
    const plain = Buffer.from(JSON.stringify(value));
    const data = deflateRawSync(plain, { level: 1 });
    return sealSegment({ key: partKey.key, header, kind: 'index', number, segment }, data, {
      plainLength: plain.length,
      compressed: true,
      last: segment === 1,
    });
  });
  return Buffer.concat([header, ...segments]);
}
