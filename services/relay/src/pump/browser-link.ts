import type { Socket } from 'node:net';
import { asPortholeError, type PortholeError } from '@porthole/shared/errors';
import { createBrowserFrames } from '../websocket/browser-frames.ts';
import { closePayload, opcodes, serverFrame } from '../websocket/frame.ts';
import type { Gather, GatherSink } from './gather.ts';
import type { Link, LinkHandler } from './link.ts';

/** A browser's connection after the upgrade. */
export interface BrowserSocket {
  readonly socket: Socket;
  /** What the browser sent right behind its request. */
  readonly head: Buffer;
  readonly protocol: string;
}

/** A link to a browser: frames of RFC 6455 on a socket, the server's side. */
export interface BrowserLink extends Link {
  text(text: string): void;
  ping(): void;
  /** Says goodbye, and reads on for the answer only. Whoever calls this cuts the connection should none come. */
  close(code: number, reason: string): void;
  /** Whether the browser sent a close frame: it left on purpose, its line did not break. */
  readonly heardGoodbye: boolean;
}

/** QEMU's limit for a clipboard text, and its header; control messages are small. */
const limits = { binaryBytes: 1024 * 1024 + 1024, textBytes: 4096, fragments: 1024 };
/** Pongs for a browser that does not read are held back: RFC 6455 section 5.5.3 asks for the last one only. */
const pongBytes = 64 * 1024;

export function createBrowserLink(deps: {
  readonly browser: Pick<BrowserSocket, 'socket' | 'head'>;
  readonly gather: Gather;
  readonly onText: (text: string) => void;
  /** Something has arrived, whatever it is. */
  readonly onHeard: () => void;
  /** The answer to a ping. */
  readonly onPong?: () => void;
  readonly onClosed: () => void;
}): BrowserLink {
  const { gather, onHeard } = deps;
  const { socket } = deps.browser;
  let head: Buffer | undefined = deps.browser.head;
  let handler: LinkHandler | undefined;
  /** It left or broke the protocol: nothing more is handed on. */
  let lost: { readonly error?: PortholeError } | undefined;
  let saidGoodbye = false;
  let heardGoodbye = false;
  let heldPong: Buffer | undefined;
  /** The kernel has not taken everything. Known here, because streams are slow to tell. */
  let behind = false;
  let framesSent = 0;

  const frames = createBrowserFrames(
    {
      binary(source, start, end) {
        if (!lost && !saidGoodbye) handler?.bytes(source, start, end);
      },
      text(text) {
        if (!lost && !saidGoodbye) deps.onText(text);
      },
      ping: (payload) => (heldPong = payload),
      pong: () => deps.onPong?.(),
      close(code) {
        heardGoodbye = true;
        goodbye(code === undefined ? Buffer.alloc(0) : closePayload(code, ''));
        socket.end();
        lose();
      },
    },
    limits,
  );

  function read(chunk: Buffer): void {
    onHeard();
    try {
      frames.push(chunk);
    } catch (error) {
      lose(asPortholeError(error));
    }
    answerPing();
  }

  function lose(error?: PortholeError): void {
    if (lost) return;
    lost = error ? { error } : {};
    handler?.ended(error);
  }

  function sent(): void {
    if (!behind) return;
    behind = socket.writableLength > 0;
    answerPing();
    handler?.drained?.();
  }

  const sink: GatherSink = {
    write(frame) {
      if (saidGoodbye || lost) return true;
      framesSent++;
      // Who is behind gets memory of its own: a few bytes must not hold a slab that is everybody's.
      if (behind) {
        socket.write(Buffer.from(frame), sent);
        return true;
      }
      socket.write(frame, sent);
      behind = socket.writableLength > 0;
      return !behind;
    },
  };

  function write(opcode: number, payload: Buffer): void {
    if (saidGoodbye || !socket.writable) return;
    gather.flush(sink);
    socket.write(serverFrame(opcode, payload), sent);
    behind = socket.writableLength > 0;
  }

  function answerPing(): void {
    if (!heldPong || socket.writableLength > pongBytes) return;
    const payload = heldPong;
    heldPong = undefined;
    write(opcodes.pong, payload);
  }

  function goodbye(payload: Buffer): void {
    write(opcodes.close, payload);
    saidGoodbye = true;
  }

  /** From here on the browser is read; before, the kernel keeps what it sends, and no more than it likes to. */
  function start(): void {
    const first = head;
    if (!first) return;
    head = undefined;
    socket.on('data', read);
    if (first.length > 0) read(first);
  }

  socket.setNoDelay(true);
  socket.setTimeout(0);
  // An error is always followed by a close, which is what we act on.
  socket.on('error', () => {});
  socket.on('end', () => {
    lose();
    socket.end();
  });
  socket.on('close', () => {
    lose();
    deps.onClosed();
  });

  return {
    send(source, from = 0, to = source.length) {
      if (!saidGoodbye && to > from) gather.add(sink, source, from, to);
      return !behind;
    },
    get buffered() {
      return socket.writableLength + gather.waitingFor(sink);
    },
    get framesSent() {
      return framesSent;
    },
    pause() {
      if (!saidGoodbye) socket.pause();
    },
    resume: () => void socket.resume(),
    handle(next) {
      handler = next;
      if (lost) next.ended(lost.error);
      else start();
    },
    text: (text) => write(opcodes.text, Buffer.from(text, 'utf8')),
    ping: () => write(opcodes.ping, Buffer.alloc(0)),
    close(code, reason) {
      goodbye(closePayload(code, reason));
      start();
      socket.resume();
      // Who broke the protocol can't be understood any more, so nobody waits for its answer (section 7.1.7).
      if (lost) socket.end();
    },
    get heardGoodbye() {
      return heardGoodbye;
    },
    destroy() {
      // Who said goodbye gets the answer to it, if the network takes it at once.
      if (heardGoodbye && socket.writableLength === 0) socket.destroySoon();
      else socket.destroy();
    },
  };
}
