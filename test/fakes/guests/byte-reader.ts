import type { Readable } from 'node:stream';

/** Reads an exact number of bytes at a time, so that a protocol can be written down in its own order. */
export interface ByteReader {
  /** The next `length` bytes; rejects when the stream ends before. One read at a time. */
  read(length: number): Promise<Buffer>;
  /** Leaves the stream to somebody else. */
  release(): void;
}

export class EndOfStream extends Error {
  override name = 'EndOfStream';
}

export function createByteReader(stream: Readable): ByteReader {
  let wake = () => {};
  // These stay for as long as the reader: a `readable` listener that is added anew is called at once while
  // anything is buffered, and waiting for the rest of a message that way would starve the event loop.
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
