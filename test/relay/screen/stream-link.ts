import type { Duplex } from 'node:stream';
import type { LinkHandler } from '@porthole/relay/stream/link';
import type { MachineLink } from '@porthole/relay/upstream/proxmox-link';

/** A link over a stream, as one over a WebSocket is: it reads when it gets its first handler. */
export function createStreamLink(stream: Duplex): MachineLink {
  let handler: LinkHandler | undefined;
  let ended = false;
  let framesSent = 0;
  stream.pause();
  const end = () => {
    if (ended) return;
    ended = true;
    handler?.onEnded();
  };
  stream.on('error', () => {});
  stream.on('end', end);
  stream.on('close', end);
  stream.on('drain', () => handler?.onDrained?.());
  stream.on('data', (chunk: Buffer) => handler?.onBytes(chunk, 0, chunk.length));
  stream.pause();
  return {
    send(source, start = 0, sendEnd = source.length) {
      framesSent++;
      return stream.writable ? stream.write(Buffer.from(source.subarray(start, sendEnd))) : true;
    },
    get buffered() {
      return stream.writableLength;
    },
    get framesSent() {
      return framesSent;
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    setHandler(next) {
      const isFirst = handler === undefined;
      handler = next;
      if (ended) next.onEnded();
      else if (isFirst) stream.resume();
    },
    destroy: () => void stream.destroy(),
    ping: (onPong) => onPong(),
  };
}
