import type { Socket } from 'node:net';
import { asPortholeError, type PortholeError } from '@porthole/shared/errors';
import { createBrowserFrames, type BrowserFrameHandler, type BrowserFrameLimits } from './browser-frames.ts';
import { closePayload, opcodes, serverFrame } from '../stream/websocket-frame.ts';
import type { Gather, GatherSink } from '../stream/gather.ts';
import type { Link, LinkHandler } from '../stream/link.ts';

/** A browser's connection after the upgrade. */
export interface BrowserSocket {
  readonly socket: Socket;
  /** What the browser sent right behind its request. */
  readonly head: Buffer;
  readonly protocol: string;
}

/** A link to a browser: frames of RFC 6455 on a socket, the server's side. */
export interface BrowserLink extends Link {
  say(text: string): void;
  /** A ping: whoever is there answers. */
  poke(): void;
  /** Says goodbye, and reads on for the answer only. Whoever calls this cuts the connection should none come. */
  leave(code: number, reason: string): void;
  /** Whether the browser sent a close frame: it left on purpose, its line did not break. */
  readonly heardGoodbye: boolean;
}

/** QEMU's limit for a clipboard text, and its header; control messages are small. */
const limits: BrowserFrameLimits = { binaryBytes: 1024 * 1024 + 1024, textBytes: 4096, fragments: 1024 };
/** Whom a link to a browser tells what is not for the handler of the moment. */
export interface BrowserLinkOwner {
  text(text: string): void;
  /** Something has arrived, whatever it is. */
  heard(): void;
  /** The answer to a ping. */
  answered(): void;
  closed(): void;
}

export function createBrowserLink(deps: {
  readonly browser: Pick<BrowserSocket, 'socket' | 'head'>;
  readonly gather: Gather;
  readonly owner: BrowserLinkOwner;
}): BrowserLink {
  return new BrowserConnection(deps.browser, deps.gather, deps.owner);
}

/** A class, as there are thousands: one object each, and few functions of its own. */
class BrowserConnection implements BrowserLink, BrowserFrameHandler, GatherSink {
  readonly #socket: Socket;
  readonly #gather: Gather;
  readonly #owner: BrowserLinkOwner;
  readonly #frames = createBrowserFrames(this, limits);
  /** What the browser sent right behind its request; undefined once the browser is read. */
  #head: Buffer | undefined;
  #handler: LinkHandler | undefined;
  /** It left or broke the protocol: nothing more is handed on. */
  #lost: { readonly error?: PortholeError } | undefined;
  #saidGoodbye = false;
  #heardGoodbye = false;
  #heldPong: Buffer | undefined;
  framesSent = 0;

  constructor(
    { socket, head }: Pick<BrowserSocket, 'socket' | 'head'>,
    gather: Gather,
    owner: BrowserLinkOwner,
  ) {
    this.#socket = socket;
    this.#gather = gather;
    this.#owner = owner;
    // A copy: a few bytes must not hold everything that was read together with them.
    this.#head = Buffer.from(head);
    socket.setNoDelay(true);
    socket.setTimeout(0);
    // An error is always followed by a close, which is what we act on.
    if (socket.listenerCount('error') === 0) socket.on('error', ignore);
    socket.on('drain', () => {
      this.#answerPing();
      this.#handler?.drained?.();
    });
    socket.on('end', () => {
      this.#lose();
      socket.end();
    });
    socket.on('close', () => {
      this.#lose();
      owner.closed();
    });
  }

  get heardGoodbye(): boolean {
    return this.#heardGoodbye;
  }

  send(source: Buffer, from = 0, to = source.length): boolean {
    if (!this.#saidGoodbye && to > from) this.#gather.add(this, source, from, to);
    return this.#socket.writableLength === 0;
  }

  get buffered(): number {
    return this.#socket.writableLength + this.#gather.waitingFor(this);
  }

  pause(): void {
    if (!this.#saidGoodbye) this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  handle(next: LinkHandler): void {
    this.#handler = next;
    if (this.#lost) next.ended(this.#lost.error);
    else this.#start();
  }

  say(text: string): void {
    this.#write(opcodes.text, Buffer.from(text, 'utf8'));
  }

  poke(): void {
    this.#write(opcodes.ping, empty);
  }

  leave(code: number, reason: string): void {
    this.#goodbye(closePayload(code, reason));
    this.#start();
    this.#socket.resume();
    // Who broke the protocol can't be understood any more, so nobody waits for its answer (section 7.1.7).
    if (this.#lost) this.#socket.end();
  }

  destroy(): void {
    // Who said goodbye gets the answer to it, if the network takes it at once.
    if (this.#heardGoodbye && this.#socket.writableLength === 0) this.#socket.destroySoon();
    else this.#socket.destroy();
  }

  /** A frame from the gather. */
  write(frame: Buffer): boolean {
    if (this.#saidGoodbye || this.#lost) return true;
    this.framesSent++;
    const socket = this.#socket;
    // Who is behind gets memory of its own: a few bytes must not hold a slab that is everybody's.
    if (socket.writableLength > 0) {
      socket.write(Buffer.from(frame));
      return true;
    }
    socket.write(frame);
    return socket.writableLength === 0;
  }

  binary(source: Buffer, start: number, end: number): void {
    if (!this.#lost && !this.#saidGoodbye) this.#handler?.bytes(source, start, end);
  }

  text(text: string): void {
    if (!this.#lost && !this.#saidGoodbye) this.#owner.text(text);
  }

  ping(payload: Buffer): void {
    this.#heldPong = payload;
  }

  pong(): void {
    this.#owner.answered();
  }

  close(code: number | undefined): void {
    this.#heardGoodbye = true;
    this.#goodbye(code === undefined ? empty : closePayload(code, ''));
    this.#socket.end();
    this.#lose();
  }

  /** From here on the browser is read; before, the kernel keeps what it sends, and no more than it likes to. */
  #start(): void {
    const first = this.#head;
    if (!first) return;
    this.#head = undefined;
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    if (first.length > 0) this.#read(first);
  }

  #read(chunk: Buffer): void {
    this.#owner.heard();
    try {
      this.#frames.push(chunk);
    } catch (error) {
      this.#lose(asPortholeError(error));
    }
    this.#answerPing();
  }

  #lose(error?: PortholeError): void {
    if (this.#lost) return;
    this.#lost = error ? { error } : {};
    this.#handler?.ended(error);
  }

  #write(opcode: number, payload: Buffer): void {
    if (this.#saidGoodbye || !this.#socket.writable) return;
    this.#gather.flush(this);
    this.#socket.write(serverFrame(opcode, payload));
  }

  #answerPing(): void {
    if (!this.#heldPong || this.#socket.writableNeedDrain) return;
    const payload = this.#heldPong;
    this.#heldPong = undefined;
    this.#write(opcodes.pong, payload);
  }

  #goodbye(payload: Buffer): void {
    this.#write(opcodes.close, payload);
    this.#saidGoodbye = true;
  }
}

const empty = Buffer.alloc(0);

function ignore(): void {}
