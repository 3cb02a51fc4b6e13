import type { Duplex } from 'node:stream';

/**
 * What a viewer's connection is doing: its upgrade is being checked, a session uses it, or it is closing because it was
 * refused or its session is over.
 */
export const connectionStates = ['upgrading', 'session', 'closing'] as const;
export type ConnectionState = (typeof connectionStates)[number];

/** Counts every connection that requested an upgrade until it closes, so that their number can be limited. */
export class ViewerConnections {
  readonly #states = new Map<Duplex, ConnectionState>();

  get size(): number {
    return this.#states.size;
  }

  count(state: ConnectionState): number {
    let count = 0;
    for (const each of this.#states.values()) if (each === state) count++;
    return count;
  }

  /** Counts the connection until it closes. Its errors are ignored: each is followed by the close. */
  add(connection: Duplex): void {
    connection.on('error', ignoreError);
    if (connection.destroyed) return;
    this.#states.set(connection, 'upgrading');
    connection.once('close', () => this.#states.delete(connection));
  }

  /** Changes the state of a connection that is not closed yet. */
  setState(connection: Duplex, state: ConnectionState): void {
    if (this.#states.has(connection)) this.#states.set(connection, state);
  }
}

function ignoreError(): void {}
