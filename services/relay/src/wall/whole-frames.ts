import { headerLength, opcodes, writeFrameHeader } from '../stream/websocket-frame.ts';
import type { FrameBatcher } from '../stream/frame-batcher.ts';

/** Each picture of a wall is one frame. */
export const wholeFrames: FrameBatcher = {
  add(sink, source, start, end) {
    const header = headerLength(end - start);
    const frame = Buffer.allocUnsafeSlow(header + end - start);
    writeFrameHeader(frame, 0, opcodes.binary, end - start, false);
    source.copy(frame, header, start, end);
    sink.write(frame);
  },
  pendingBytes: () => 0,
  flush() {},
};
