import type { Readable } from 'node:stream';

/** Reads an exact number of bytes at a time, so that code follows the order of a protocol. */
export interface ByteReader {
  /** Reads the next `length` bytes. Rejects if the stream ends before. One read at a time. */
  read(length: number): Promise<Buffer>;
  /** Stops reading, so that other code can read the stream. */
  release(): void;
}

export class EndOfStream extends Error {
  override name = 'EndOfStream';
}

export function createByteReader(stream: Readable): ByteReader {
  let wake = () => {};
  // Added once: a new `readable` listener is called at once while bytes are buffered, so adding one for each wait would
  // starve the event loop.
  const events = ['readable', 'end', 'close', 'error'];
  const onEvent = () => wake();
  for (const event of events) stream.on(event, onEvent);

  return {
    async read(length) {
      if (length === 0) return Buffer.alloc(0);
      for (;;) {
        if (stream.destroyed) throw stream.errored ?? new EndOfStream('the stream was closed');
        const chunk: unknown = stream.read(length);
        if (Buffer.isBuffer(chunk)) {
          if (chunk.length === length) return chunk;
          throw new EndOfStream(`the stream ended ${length - chunk.length} bytes early`);
        }
        if (stream.readableEnded) throw new EndOfStream('the stream ended');
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    release() {
      for (const event of events) stream.off(event, onEvent);
    },
  };
}
