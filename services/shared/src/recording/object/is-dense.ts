/** Bytes of a sample. A sample of random bytes has an entropy of about 7.8 bits per byte, because it is short. */
const sampleBytes = 1024;
const denseBits = 7.6;
const counts = new Uint16Array(256);

/**
 * Whether the bytes are spread as evenly as those of data that is compressed already, by a sample. Then only repetitions
 * could be compressed. Costs less than a hundredth of an attempt to compress.
 */
export function isDense(data: Uint8Array): boolean {
  if (data.length < sampleBytes) return false;
  // Odd, because pixels have even sizes.
  const step = Math.floor(data.length / sampleBytes) | 1;
  counts.fill(0);
  let sampled = 0;
  for (let at = 0; at < data.length && sampled < sampleBytes; at += step, sampled++) {
    const byte = data[at] ?? 0;
    counts[byte] = (counts[byte] ?? 0) + 1;
  }
  let sum = 0;
  for (const count of counts) if (count > 1) sum += count * Math.log2(count);
  return Math.log2(sampled) - sum / sampled > denseBits;
}
