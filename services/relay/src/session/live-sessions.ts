import type { Socket } from 'node:net';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { PortholeError } from '@porthole/shared/errors';
import type { ConsoleSignal } from '@porthole/shared/session/signals';
import type { Clock } from '@porthole/shared/time/clock';
import type { RelayMetrics } from '../metrics.ts';
import type { ControlWatcher } from '../control/control-watcher.ts';
import type { FrameBatcher } from '../stream/frame-batcher.ts';
import type { UpgradeCredentials } from '../viewer/upgrade.ts';
import { createViewer } from '../viewer/viewer.ts';
import type { ViewerConnections } from '../viewer/viewer-connections.ts';
import type { ViewerSocket } from '../viewer/viewer-socket.ts';
import { ConsoleSession } from './console-session.ts';
import type { SessionDeps } from './session-deps.ts';
import type { ClassWatcher } from './class-watcher.ts';
import type { ObserverNotifier } from './observers.ts';
import { staggerDrain } from './stagger-drain.ts';

export interface LiveSessionsDeps {
  readonly session: SessionDeps;
  readonly observers: Pick<ObserverNotifier, 'onChanged'>;
  readonly classes: Pick<ClassWatcher, 'onChanged'>;
  readonly control: Pick<ControlWatcher, 'onChanged' | 'onAsked'>;
  readonly connections: Pick<ViewerConnections, 'setState'>;
  readonly batcher: FrameBatcher;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly metrics: RelayMetrics;
  /** Sessions of this relay that wait for a machine or a node. */
  readonly queueLength: () => number;
  readonly maxSessions: number;
  readonly maxQueued: number;
  /** Ping interval toward viewers, in milliseconds. */
  readonly pingMs: number;
  readonly drainMs: number;
}

/** The sessions of this relay: starts them, passes signals on to them, and drains them. */
export class LiveSessions implements Iterable<ConsoleSession> {
  readonly #deps: LiveSessionsDeps;
  readonly #sessions = new Set<ConsoleSession>();
  readonly #onPong = (seconds: number) => this.#deps.metrics.ping('viewer', seconds);
  #draining = false;

  constructor(deps: LiveSessionsDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get draining(): boolean {
    return this.#draining;
  }

  [Symbol.iterator](): Iterator<ConsoleSession> {
    return this.#sessions.values();
  }

  /** Starts a session for a viewer, or closes the viewer with the reason why the relay can't. */
  accept(socket: ViewerSocket, connection: Socket, credentials: UpgradeCredentials): void {
    const { batcher, clock, connections, metrics, pingMs } = this.#deps;
    let session: ConsoleSession | undefined;
    const viewer = createViewer({
      socket,
      connection,
      batcher,
      clock,
      pingMs,
      onText: (text) => session?.onText(text),
      onPong: this.#onPong,
    });
    const refusal = this.#refusal();
    if (refusal) {
      connections.setState(connection, 'closing');
      metrics.closed(refusal.close);
      metrics.openFinished(refusal.code);
      viewer.close(refusal);
      return;
    }
    connections.setState(connection, 'session');
    const started = (session = new ConsoleSession(this.#deps.session, viewer, credentials));
    this.#sessions.add(started);
    void started.done.then(() => {
      this.#sessions.delete(started);
      connections.setState(connection, 'closing');
    });
  }

  onSignal(signal: ConsoleSignal): void {
    const { observers, classes, control } = this.#deps;
    switch (signal.type) {
      case 'observers':
        observers.onChanged(signal);
        break;
      case 'class':
        classes.onChanged(signal.name);
        break;
      case 'control':
        control.onChanged(signal);
        break;
      case 'ask_control':
        control.onAsked(signal);
        break;
      case 'superseded':
        for (const session of this.#sessions) session.onSuperseded(signal);
        break;
      case 'terminate':
        for (const session of this.#sessions) session.onTermination(signal);
        break;
      default:
        signal satisfies never;
    }
  }

  /** Refuses new sessions, and tells every viewer to reconnect to another relay. Resolves when all sessions are gone. */
  async drain(): Promise<void> {
    this.#draining = true;
    const sessions = [...this.#sessions];
    for (const session of sessions) session.announceDrain();
    await staggerDrain(this.#deps, sessions, this.#deps.drainMs, (session) =>
      session.end(new PortholeError('draining')),
    );
    await Promise.all([...this.#sessions].map(({ done }) => done));
  }

  #refusal(): PortholeError | undefined {
    if (this.#draining) return new PortholeError('draining');
    if (this.#sessions.size >= this.#deps.maxSessions) return new PortholeError('relay_full');
    if (this.#deps.queueLength() >= this.#deps.maxQueued) return new PortholeError('queue_full');
    return undefined;
  }
}
