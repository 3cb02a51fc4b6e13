import { constants, deflateRawSync } from 'node:zlib';
import { isDense } from './is-dense.ts';

/** Compresses what gets smaller, and learns not to try what does not, such as pictures that are compressed already. */
export interface Compressor {
  /** Returns the compressed data, or undefined if it should be stored as it is. */
  compress(data: Uint8Array): Buffer | undefined;
}

/** Less is not worth the work of the reader. */
const minSavedFraction = 1 / 8;
const minBytes = 64;
const maxSkipped = 64;

export function createCompressor(): Compressor {
  let skip = 0;
  let nextSkip = 1;
  /** How many segments are left to be skipped because their bytes look compressed. Some are tried: they may be repetitions. */
  let skipDense = maxSkipped;

  return {
    compress(data) {
      if (data.length < minBytes) return undefined;
      if (skip > 0) {
        skip--;
        return undefined;
      }
      if (skipDense > 0 && isDense(data)) {
        skipDense--;
        return undefined;
      }
      const compressed = deflateRawSync(data, { level: constants.Z_BEST_SPEED });
      if (compressed.length <= data.length * (1 - minSavedFraction)) {
        nextSkip = 1;
        return compressed;
      }
      skipDense = maxSkipped;
      skip = nextSkip;
      nextSkip = Math.min(nextSkip * 2, maxSkipped);
      return undefined;
    },
  };
}
