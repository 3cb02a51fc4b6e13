import { createFrameBatcher, type FrameSink } from '@porthole/relay/stream/frame-batcher';
import { createProxmoxFrames } from '@porthole/relay/upstream/proxmox-frames';
import { createNumbers } from '../wire.ts';

/** A viewer that takes frames at once, or keeps their memory for a while as a slow network does. */
function createViewerSink(
  slow: () => boolean,
): FrameSink & { received(): string; largest(): number; writes: number } {
  const kept: Buffer[] = [];
  let largest = 0;
  const sink = {
    writes: 0,
    write(frame: Buffer) {
      sink.writes++;
      largest = Math.max(largest, frame.length);
      const keeps = slow();
      kept.push(keeps ? frame : Buffer.from(frame));
      return !keeps;
    },
    received() {
      let payload = '';
      const frames = createProxmoxFrames({
        pong() {},
        payload: (source, start, end) => (payload += source.toString('latin1', start, end)),
        closed: () => {},
      });
      for (const frame of kept) frames.read(frame, frame.length);
      return payload;
    },
    largest: () => largest,
  };
  return sink;
}

test('what comes in one turn goes out as one frame', () => {
  const turns: (() => void)[] = [];
  const gather = createFrameBatcher((fn) => void turns.push(fn));
  const sink = createViewerSink(() => false);
  for (const text of ['a', 'b', 'c']) gather.add(sink, Buffer.from(text), 0, 1);
  expect(gather.pendingBytes(sink)).toBe(3);
  expect(sink.writes).toBe(0);
  for (const turn of turns) turn();
  expect(gather.pendingBytes(sink)).toBe(0);
  expect([sink.writes, sink.received()]).toEqual([1, 'abc']);
});

test('every viewer gets its own bytes in order, whoever is slow and however they are mixed', () => {
  const random = createNumbers(11);
  let turn = () => {};
  const gather = createFrameBatcher((fn) => (turn = fn));
  const sinks = Array.from({ length: 5 }, (_, i) => createViewerSink(() => random(5) < i));
  const sent = sinks.map(() => '');
  for (let round = 0; round < 3000; round++) {
    const which = random(sinks.length);
    const bytes = Buffer.alloc(1 + random(random(10) === 0 ? 200_000 : 300), 97 + random(26));
    const start = random(bytes.length);
    const sink = sinks[which];
    if (!sink) continue;
    gather.add(sink, bytes, start, bytes.length);
    sent[which] += bytes.toString('latin1', start);
    bytes.fill(0); // the memory was lent
    if (random(4) === 0) gather.flush(sink);
    if (random(3) === 0) turn();
  }
  turn();
  for (const [i, sink] of sinks.entries()) {
    expect(sink.received() === sent[i]).toBe(true);
    expect(sink.largest()).toBeLessThanOrEqual(128 * 1024);
  }
});
