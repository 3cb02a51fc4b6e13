import type { Readable } from 'node:stream';

/** Reads an exact number of bytes at a time, so that a protocol can be written down in its own order. */
export interface ByteReader {
  /** The next `length` bytes; rejects when the stream ends before. */
  read(length: number): Promise<Buffer>;
}

export class EndOfStream extends Error {
  override name = 'EndOfStream';
}

export function createByteReader(stream: Readable): ByteReader {
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
        await readableOrOver(stream);
      }
    },
  };
}

function readableOrOver(stream: Readable): Promise<void> {
  const events = ['readable', 'end', 'close', 'error'];
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
  });
}
