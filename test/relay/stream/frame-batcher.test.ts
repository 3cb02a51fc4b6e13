import { createFrameBatcher, type FrameSink } from '@porthole/relay/stream/frame-batcher';
import { createProxmoxFrameReader } from '@porthole/relay/upstream/proxmox-frame-reader';
import { createSeededRandom } from '../seeded-random.ts';

/** A viewer that copies its frames at once or, while it is slow, keeps their memory. */
function createViewerSink(isSlow: () => boolean) {
  const frames: Buffer[] = [];
  let largest = 0;
  const sink = {
    writes: 0,
    write(frame: Buffer) {
      sink.writes++;
      largest = Math.max(largest, frame.length);
      const keepsMemory = isSlow();
      frames.push(keepsMemory ? frame : Buffer.from(frame));
      return !keepsMemory;
    },
    payload() {
      let payload = '';
      const reader = createProxmoxFrameReader({
        onPong() {},
        onPayload: (source, start, end) => (payload += source.toString('latin1', start, end)),
        onClosed() {},
      });
      for (const frame of frames) reader.read(frame, frame.length);
      return payload;
    },
    largest: () => largest,
  };
  return sink satisfies FrameSink;
}

describe('bytes of one turn of the event loop', () => {
  const world = () => {
    const turns: (() => void)[] = [];
    const batcher = createFrameBatcher((fn) => void turns.push(fn));
    const endTurn = () => {
      for (const turn of turns.splice(0)) turn();
    };
    return { batcher, turns, endTurn, sink: createViewerSink(() => false) };
  };

  test('are sent as one frame', () => {
    const { batcher, endTurn, sink } = world();
    const record = Buffer.alloc(16 * 1024, 'r');
    for (const bytes of [record, record, Buffer.from('tail')]) batcher.add(sink, bytes, 0, bytes.length);
    expect(batcher.pendingBytes(sink)).toBe(2 * record.length + 4);
    expect(sink.writes).toBe(0);
    endTurn();
    expect(batcher.pendingBytes(sink)).toBe(0);
    expect([sink.writes, sink.payload()]).toEqual([1, `${'r'.repeat(2 * record.length)}tail`]);
  });

  test('are sent at once if they are few, and what follows them as one more frame', () => {
    const { batcher, turns, endTurn, sink } = world();
    batcher.add(sink, Buffer.from('a'), 0, 1);
    expect([sink.writes, batcher.pendingBytes(sink), turns.length]).toEqual([1, 0, 0]);
    for (const text of ['b', 'c']) batcher.add(sink, Buffer.from(text), 0, 1);
    expect([sink.writes, batcher.pendingBytes(sink)]).toEqual([1, 2]);
    endTurn();
    expect([sink.writes, sink.payload()]).toEqual([2, 'abc']);
  });
});

test('every viewer gets its own bytes in order, also while others are slow', () => {
  const random = createSeededRandom(11);
  let endTurn = () => {};
  const batcher = createFrameBatcher((fn) => (endTurn = fn));
  const sinks = Array.from({ length: 5 }, (_, i) => createViewerSink(() => random(5) < i));
  const sent = sinks.map(() => '');
  for (let round = 0; round < 3000; round++) {
    const index = random(sinks.length);
    const bytes = Buffer.alloc(1 + random(random(10) === 0 ? 200_000 : 300), 97 + random(26));
    const start = random(bytes.length);
    const sink = sinks[index];
    if (!sink) continue;
    batcher.add(sink, bytes, start, bytes.length);
    sent[index] += bytes.toString('latin1', start);
    bytes.fill(0); // The memory is reused.
    if (random(4) === 0) batcher.flush(sink);
    if (random(3) === 0) endTurn();
  }
  endTurn();
  for (const [i, sink] of sinks.entries()) {
    expect(sink.payload() === sent[i]).toBe(true);
    expect(sink.largest()).toBeLessThanOrEqual(128 * 1024);
  }
});
