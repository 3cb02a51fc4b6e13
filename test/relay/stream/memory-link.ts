import type { PortholeError } from '@porthole/shared/errors';
import type { Link, LinkHandler } from '@porthole/relay/stream/link';

/** A link in memory. What is sent stays buffered until the test takes it. */
export interface MemoryLink extends Link {
  /** Everything that was sent, one entry per call. */
  readonly sent: Buffer[];
  readonly paused: boolean;
  /** How often a handler was set. */
  readonly handlersSet: number;
  /** Delivers bytes to the handler, once there is one and the link is not paused. */
  receive(...chunks: readonly (string | Buffer)[]): void;
  /** Takes buffered bytes, as the network does; all of them by default. */
  drain(bytes?: number): void;
  /** The peer leaves. */
  end(error?: PortholeError): void;
}

export function createMemoryLink(): MemoryLink {
  let handler: LinkHandler | undefined;
  let handlersSet = 0;
  let paused = true;
  let buffered = 0;
  let ended: { error: PortholeError | undefined } | undefined;
  const undelivered: Buffer[] = [];
  const sent: Buffer[] = [];
  const deliver = () => {
    for (;;) {
      const chunk = paused || !handler ? undefined : undelivered.shift();
      if (!chunk) return;
      handler?.onBytes(chunk, 0, chunk.length);
    }
  };
  return {
    sent,
    get paused() {
      return paused;
    },
    get handlersSet() {
      return handlersSet;
    },
    get buffered() {
      return buffered;
    },
    get framesSent() {
      return sent.length;
    },
    send(source, start = 0, end = source.length) {
      sent.push(Buffer.from(source.subarray(start, end)));
      buffered += end - start;
      return false;
    },
    pause: () => (paused = true),
    resume() {
      paused = false;
      deliver();
    },
    setHandler(next) {
      if (!handler) paused = false;
      handler = next;
      handlersSet++;
      if (ended) next.onEnded(ended.error);
      else deliver();
    },
    destroy() {},
    receive(...chunks) {
      undelivered.push(...chunks.map((chunk) => Buffer.from(chunk)));
      deliver();
    },
    drain(bytes = buffered) {
      buffered -= bytes;
      handler?.onDrained?.();
    },
    end(error) {
      ended = { error };
      handler?.onEnded(error);
    },
  };
}

/** A handler that records what it gets. */
export function createRecordingHandler() {
  const received: Buffer[] = [];
  const ends: (string | undefined)[] = [];
  let drains = 0;
  const handler: LinkHandler = {
    onBytes: (source, start, end) => void received.push(Buffer.from(source.subarray(start, end))),
    onDrained: () => void drains++,
    onEnded: (error) => void ends.push(error?.code),
  };
  return { handler, received: () => Buffer.concat(received), ends, drains: () => drains };
}
