import type { PartIndex } from '@porthole/shared/recording/read/read-index';
import type { RecordingItem } from '@porthole/shared/recording/read/read-recording';
import type { TimedRecord } from '@porthole/shared/recording/record/decode-records';

const defaultSize = { cols: 80, rows: 24 };

/**
 * Writes the recording of a terminal as asciicast v3 (docs.asciinema.org/manual/asciicast/v3). Parts follow each other
 * with the time between them; what is missing or damaged is a marker.
 */
export async function* toAsciicast(items: AsyncIterable<RecordingItem>): AsyncGenerator<string> {
  let started = false;
  /** Wall clock, as far as known, of the last event that was written. */
  let last: number | undefined;
  let partStart = 0;
  let decoder = new TextDecoder();

  function event(at: number, code: string, data: string): string {
    const seconds = Math.max(0, at - (last ?? at)) / 1000;
    last = Math.max(at, last ?? at);
    return `${JSON.stringify([Number(seconds.toFixed(3)), code, data])}\n`;
  }

  for await (const item of items) {
    if (item.kind === 'part') {
      partStart = item.index?.summary.startedAt ?? last ?? 0;
      decoder = new TextDecoder();
      if (!started) {
        yield `${JSON.stringify(headerOf(item.index))}\n`;
        last = partStart;
      } else yield event(partStart, 'm', 'The console continues on another relay');
      started = true;
    } else if (item.kind === 'problem') {
      decoder = new TextDecoder();
      if (started) yield event(last ?? 0, 'm', `Damaged recording: ${item.problem.kind}`);
    } else {
      for (const timed of item.records) {
        const found = toEvent(timed, decoder);
        if (found) yield event(partStart + timed.timeMs, found.code, found.data);
      }
    }
  }
}

function headerOf(index: PartIndex | undefined) {
  const [, cols, rows] = index?.details.resizes[0] ?? [];
  return {
    version: 3,
    term: cols && rows ? { cols, rows } : defaultSize,
    ...(index ? { timestamp: Math.floor(index.summary.startedAt / 1000) } : {}),
  };
}

function toEvent(
  { record }: TimedRecord,
  decoder: InstanceType<typeof TextDecoder>,
): { readonly code: string; readonly data: string } | undefined {
  if (record.type === 'mark')
    return { code: 'm', data: record.text === '' ? record.name : `${record.name}: ${record.text}` };
  if (record.type !== 'terminal') return undefined;
  const { code, bytes } = record;
  // Output can be cut within a character.
  const data = code === 'o' ? decoder.decode(bytes, { stream: true }) : new TextDecoder().decode(bytes);
  return data === '' ? undefined : { code, data };
}
