import type { Socket } from 'node:net';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { RecordStore } from '@porthole/shared/store/ports';
import type { Clock } from '@porthole/shared/time/clock';
import { onAbort } from '@porthole/shared/time/on-abort';
import type { WebSocket } from 'ws';
import { startPump, type Pump } from '../stream/pump.ts';
import type { MachineLink } from '../upstream/proxmox-link.ts';
import type { AcceptForwarded, RelayAddress } from './contracts.ts';
import { takeForwardToken } from './forward-token.ts';
import { PeerConnection } from './peer-connection.ts';
import { parsePeerMessage } from './peer-messages.ts';
import type { SharingMetrics } from './sharing-metrics.ts';

export interface ForwardedViewerDeps {
  readonly socket: WebSocket;
  readonly connection: Socket;
  readonly token: string;
  readonly address: RelayAddress;
  readonly records: Pick<RecordStore, 'take'>;
  readonly keys: SealKeys;
  readonly clock: Clock;
  readonly metrics: Pick<SharingMetrics, 'forwarded' | 'forwardRefused'>;
  readonly accept: AcceptForwarded;
}

/** How long the reason for the end of a link may come after the end. */
const maxReasonDelayMs = 1000;

/** A viewer of another relay at a console of this one, from its connection until its end. Owns both. */
export class ForwardedViewer {
  /** Resolves when the connection is closed and the console's link is destroyed. Does not reject. */
  readonly done: Promise<void>;
  readonly #deps: ForwardedViewerDeps;
  readonly #peer: PeerConnection;
  readonly #abort = new AbortController();
  #link: MachineLink | undefined;
  #pump: Pump | undefined;

  constructor(deps: ForwardedViewerDeps) {
    this.#deps = deps;
    const { socket, connection, clock, metrics } = deps;
    metrics.forwarded('in', 1);
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    socket.once('close', () => resolve());
    this.#peer = new PeerConnection({
      socket,
      connection,
      clock,
      onText: (text) => {
        if (parsePeerMessage(text)?.type === 'request_keyframe')
          this.#link?.requestKeyframe?.((keyframe) => this.#peer.sendKeyframe(keyframe));
      },
      onEnded: () => {
        metrics.forwarded('in', -1);
        this.#abort.abort(new PortholeError('screen_moved', { detail: 'the forwarded viewer has left' }));
        this.#release();
      },
    });
    this.done = Promise.all([closed, this.#serve()]).then(() => {});
  }

  /** Ends the viewer. Without an error, like a console that Proxmox closed. */
  end(error: PortholeError | undefined): void {
    this.#peer.close(error);
  }

  async #serve(): Promise<void> {
    const { address, accept, metrics, token } = this.#deps;
    const { signal } = this.#abort;
    try {
      const claims = await takeForwardToken(this.#deps, address, token);
      signal.throwIfAborted();
      const { link, ended } = await accept({
        claims,
        signal,
        onNotice: (notice) => this.#peer.sendMessage(notice),
      });
      this.#link = link;
      if (signal.aborted) this.#release();
      else this.#stream(link, ended);
    } catch (thrown) {
      if (signal.aborted) return;
      const error = asPortholeError(thrown);
      metrics.forwardRefused('in', error.code);
      this.end(error);
    }
  }

  #stream(link: MachineLink, ended: Promise<PortholeError | undefined>): void {
    const { clock } = this.#deps;
    this.#peer.sendMessage({ type: 'accepted' });
    void ended.then(
      (reason) => this.end(reason),
      (thrown) => this.end(asPortholeError(thrown)),
    );
    // The session at the other relay has filtered the messages, and the screen enforces the mode of the claims.
    this.#pump = startPump(
      {
        clock,
        viewer: this.#peer,
        machine: link,
        viewerLeftover: noLeftover,
        machineLeftover: noLeftover,
        filter: { push: (chunk) => [chunk] },
      },
      {
        count: () => {},
        onEnd: (side, error) => {
          // The reason that `ended` gives is the better one.
          if (side === 'machine') this.#endLater(error);
          else this.end(error);
        },
      },
    );
    if (this.#abort.signal.aborted) this.#release();
  }

  #endLater(error: PortholeError | undefined): void {
    const cancel = this.#deps.clock.after(maxReasonDelayMs, () => this.end(error));
    onAbort(this.#abort.signal, cancel);
  }

  #release(): void {
    this.#pump?.stop();
    this.#link?.destroy();
    this.#link = undefined;
  }
}

const empty = Buffer.alloc(0);
const noLeftover = () => empty;
