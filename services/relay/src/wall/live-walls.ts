import type { Socket } from 'node:net';
import { PortholeError } from '@porthole/shared/errors';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { ConsoleSignal } from '@porthole/shared/session/signals';
import { staggerDrain } from '../session/stagger-drain.ts';
import type { UpgradeCredentials } from '../viewer/upgrade.ts';
import type { ViewerConnections } from '../viewer/viewer-connections.ts';
import type { ViewerSocket } from '../viewer/viewer-socket.ts';
import { createViewer } from '../viewer/viewer.ts';
import { WallSession, type WallSessionDeps } from './wall-session.ts';
import { wholeFrames } from './whole-frames.ts';

export interface LiveWallsDeps {
  readonly session: WallSessionDeps;
  readonly connections: Pick<ViewerConnections, 'setState'>;
  readonly random: RandomBytes;
  readonly maxWalls: number;
  /** Ping interval toward pages, in milliseconds. */
  readonly pingMs: number;
  readonly drainMs: number;
}

/** The walls of this relay: starts them, passes signals on to them, and drains them. */
export class LiveWalls implements Iterable<WallSession> {
  readonly #deps: LiveWallsDeps;
  readonly #walls = new Set<WallSession>();
  #draining = false;

  constructor(deps: LiveWallsDeps) {
    this.#deps = deps;
  }

  [Symbol.iterator](): Iterator<WallSession> {
    return this.#walls.values();
  }

  /** Starts a wall for a page, or closes it with the reason why the relay can't. */
  accept(socket: ViewerSocket, connection: Socket, credentials: UpgradeCredentials): void {
    const { connections, maxWalls, pingMs, session } = this.#deps;
    let wall: WallSession | undefined;
    const viewer = createViewer({
      socket,
      connection,
      batcher: wholeFrames,
      clock: session.clock,
      pingMs,
      onText: (text) => wall?.onText(text),
    });
    const refusal = this.#draining ? 'draining' : this.#walls.size >= maxWalls ? 'relay_full' : undefined;
    if (refusal) {
      const error = new PortholeError(refusal);
      connections.setState(connection, 'closing');
      session.metrics.closed(error.close);
      viewer.close(error);
      return;
    }
    connections.setState(connection, 'session');
    const started = (wall = new WallSession(session, viewer, credentials));
    this.#walls.add(started);
    void started.done.then(() => {
      this.#walls.delete(started);
      connections.setState(connection, 'closing');
    });
  }

  onSignal(signal: ConsoleSignal): void {
    if (signal.type === 'terminate') for (const wall of this.#walls) wall.onTermination(signal);
    if (signal.type === 'class') for (const wall of this.#walls) wall.onClassChanged(signal.name);
  }

  /** Refuses new walls, and tells every page to reconnect to another relay. Resolves when all walls are gone. */
  async drain(): Promise<void> {
    this.#draining = true;
    const { drainMs, random, session } = this.#deps;
    await staggerDrain({ clock: session.clock, random }, [...this.#walls], drainMs, (wall) =>
      wall.end(new PortholeError('draining')),
    );
    await Promise.all([...this.#walls].map(({ done }) => done));
  }
}
