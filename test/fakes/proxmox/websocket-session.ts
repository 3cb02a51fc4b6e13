import type { TLSSocket } from 'node:tls';
import type { ByteSink } from './byte-sink.ts';
import type { Random } from './random.ts';
import { cutIntoFrames, readClientFrame, serverFrame, type FrameRule } from './websocket-frames.ts';

/** Bytes that AnyEvent buffers of a connection that it no longer reads, before it closes the handle. */
const maxUnreadBytes = 520 * 1024;

/**
 * An upgraded connection: frames on the client's side, plain bytes on the console's side. Each end closes the TCP
 * connection without a close frame.
 */
export function runWebsocketSession(options: {
  socket: TLSSocket;
  /** What the client sent after its request. */
  head: Buffer;
  random: Random;
  /** Connects to the console, once this session can take its bytes. */
  backend(session: ByteSink): ByteSink;
  onViolation(rule: FrameRule): void;
  onClosed(): void;
}): { end(): void } {
  const { socket, random } = options;
  let unread = Buffer.alloc(0);
  let outgoing: Buffer[] = [];
  let flushing = false;
  let zombie = false;
  let ended = false;

  const flush = () => {
    flushing = false;
    if (outgoing.length === 0 || socket.destroyed) return;
    const bytes = Buffer.concat(outgoing);
    outgoing = [];
    socket.cork();
    for (const frame of cutIntoFrames(bytes, random)) socket.write(frame);
    socket.uncork();
  };

  const end = () => {
    if (ended) return;
    ended = true;
    flush();
    socket.destroySoon();
    backend.end();
    options.onClosed();
  };

  const violate = (rule: FrameRule) => {
    // The invalid frame stays at the head of the buffer, so no further frame of this client is read.
    zombie = true;
    options.onViolation(rule);
  };

  const read = () => {
    for (;;) {
      const taken = zombie || ended ? null : readClientFrame(unread);
      if (!taken) return;
      unread = Buffer.from(taken.rest);
      if ('violation' in taken.frame) {
        violate(taken.frame.violation);
        return;
      }
      const { opcode, payload } = taken.frame;
      if (opcode === 8) {
        outgoing = []; // late data of the console is dropped
        end();
      } else if (opcode === 9) {
        socket.write(serverFrame(10, payload));
      } else if (opcode !== 10 && payload.length > 0) {
        backend.data(payload); // text and binary frames are treated alike
      }
    }
  };

  const backend = options.backend({
    data(bytes) {
      if (ended) return;
      outgoing.push(bytes);
      if (flushing) return;
      flushing = true;
      setImmediate(flush); // bytes that are written together arrive in frames with unrelated borders
    },
    // Later, because a console may end before this session can write to it.
    end: () => queueMicrotask(end),
  });

  socket.on('data', (bytes: Buffer) => {
    if (ended) return;
    unread = Buffer.concat([unread, bytes]);
    if (zombie && unread.length > maxUnreadBytes) end();
    else read();
  });
  socket.on('error', end);
  socket.on('end', end);
  socket.on('close', end);
  if (options.head.length > 0) {
    unread = Buffer.from(options.head);
    read();
  }
  return { end };
}
