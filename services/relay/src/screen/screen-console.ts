import type { Clock } from '@porthole/shared/time/clock';
import type { PortholeError } from '@porthole/shared/errors';
import { keepAliveRequest } from '../rfb/screen-protocol.ts';
import { startUpstreamHeartbeat, type PingedConsole } from '../upstream/heartbeat.ts';
import { startKeepAlive, type IdleConsole } from '../upstream/keep-alive.ts';
import type { MachineLink } from '../upstream/proxmox-link.ts';
import type { ScreenUpstream } from './shared-screen-contract.ts';
import { messageOverhead } from '../picture/worker-messages.ts';

/** Bytes that the worker may be behind before the machine is no longer read, and down to which it is read again. */
const pauseBytes = 1024 * 1024;
const resumeBytes = 256 * 1024;

export interface ScreenConsoleDeps {
  readonly clock: Clock;
  readonly upstream: ScreenUpstream;
  /** Interval of the checks whether an idle console needs a keep-alive message. */
  readonly keepAliveMs: number;
  /** Takes bytes of the machine, and owns their memory. */
  readonly onBytes: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** The machine has taken bytes that were buffered. */
  readonly onDrained: () => void;
  /** Called with the round-trip time of a ping, in seconds. */
  readonly onPong: (seconds: number) => void;
  /** Called once, unless the console was closed before. */
  readonly onLost: (error: PortholeError | undefined) => void;
}

/** The console at Proxmox that a shared screen owns: reads it at the worker's pace, and keeps it open. */
export class ScreenConsole implements PingedConsole, IdleConsole {
  readonly link: MachineLink;
  readonly #deps: ScreenConsoleDeps;
  readonly #resources = new DisposableStack();
  forwarded = 0;
  received = 0;
  /** Bytes that the worker has not handled yet. */
  #untaken = 0;
  #paused = false;
  /** The machine has shown a picture, so a message of the relay may follow any other. */
  ready = false;

  constructor(deps: ScreenConsoleDeps) {
    this.#deps = deps;
    this.link = deps.upstream.link;
  }

  get buffered(): number {
    return this.link.buffered;
  }

  /** Begins to read. The console may be lost during the call. */
  start(): void {
    const { clock, keepAliveMs, upstream } = this.#deps;
    const { link } = this;
    this.#resources.defer(() => link.destroy());
    this.#resources.defer(startUpstreamHeartbeat(clock, this));
    this.#resources.defer(startKeepAlive({ clock, everyMs: keepAliveMs }, this));
    const leftover = upstream.takeLeftover();
    if (leftover.length > 0) this.#onBytes(leftover, 0, leftover.length);
    link.setHandler({
      onBytes: (source, start, end) => this.#onBytes(source, start, end),
      onDrained: () => this.#deps.onDrained(),
      onEnded: (error) => this.onLost(error),
    });
    // A pass-through session may have paused it for a slow viewer.
    if (!this.#resources.disposed && !this.#paused) link.resume();
  }

  /** Sends a complete message to the machine. Returns whether the network keeps up. */
  send(message: Buffer): boolean {
    if (this.#resources.disposed) return true;
    this.forwarded += message.length;
    return this.link.send(message);
  }

  /** The worker has handled bytes, as many as `onBytes` was called with. */
  onTaken(bytes: number): void {
    this.#untaken -= bytes + messageOverhead;
    if (!this.#paused || this.#untaken > resumeBytes || this.#resources.disposed) return;
    this.#paused = false;
    this.link.resume();
  }

  sendKeepAlive(): void {
    if (this.ready) this.send(keepAliveRequest);
  }

  onPong(seconds: number): void {
    this.#deps.onPong(seconds);
  }

  /** Ends the console without a call of `onLost`. Idempotent. */
  close(): void {
    this.#resources.dispose();
  }

  #onBytes(source: Buffer, start: number, end: number): void {
    if (this.#resources.disposed) return;
    const length = end - start;
    this.forwarded += length;
    this.received += length;
    this.#untaken += length + messageOverhead;
    // The one copy, because all sessions share the memory that a socket reads into.
    const bytes = new Uint8Array(length);
    bytes.set(source.subarray(start, end));
    this.#deps.onBytes(bytes);
    if (this.#paused || this.#untaken <= pauseBytes) return;
    this.#paused = true;
    this.link.pause();
  }

  onLost(error: PortholeError | undefined): void {
    if (this.#resources.disposed) return;
    this.close();
    this.#deps.onLost(error);
  }
}
