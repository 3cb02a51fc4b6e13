import type { PortholeError } from '@porthole/shared/errors';
import type { ScreenUpstream } from '../screen/shared-screen-contract.ts';
import type { DialledConsole, StreamingSession } from '../upstream/dial.ts';
import type { MachineLink } from '../upstream/proxmox-link.ts';
import type { TakeLeftover } from '../stream/run-handshake.ts';

const noLeftover: TakeLeftover = () => Buffer.alloc(0);

/**
 * A session's console of its own, which a shared screen may take over. The session uses the link directly, so that
 * pass-through costs nothing.
 */
export class OwnConsole implements DialledConsole {
  readonly way = 'pass_through';
  readonly link: MachineLink;
  readonly takeLeftover: TakeLeftover;
  readonly machine: DialledConsole['machine'];
  readonly #onReleased: () => void;
  #session: StreamingSession | undefined;
  #used = true;

  constructor(dialled: DialledConsole, onReleased: () => void) {
    this.link = dialled.link;
    this.takeLeftover = dialled.takeLeftover;
    this.machine = dialled.machine;
    this.#onReleased = onReleased;
  }

  onStreaming(session: StreamingSession): void {
    this.#session = session;
  }

  release(): void {
    if (!this.#used) return;
    this.#used = false;
    this.#session = undefined;
    this.link.destroy();
    this.#onReleased();
  }

  /** Whether the session hands its console over: now, maybe later, or never. */
  handsOver(): ReturnType<StreamingSession['handsOver']> {
    if (!this.#used) return 'never';
    // Its viewer has not completed its handshake.
    return this.#session?.handsOver() ?? 'later';
  }

  /**
   * Ends the session with this error and gives its console away, in one step, so that no byte is lost between them. Only
   * if `handsOver` returns `now`.
   */
  handOver(error: PortholeError): ScreenUpstream {
    this.#used = false;
    this.#session?.end(error);
    this.#session = undefined;
    // The session has paused it if its viewer did not keep up.
    this.link.resume();
    this.#onReleased();
    return { link: this.link, takeLeftover: noLeftover, start: 'adopt' };
  }
}
