import type { Log } from '../../telemetry/log.ts';
import { errorKind, plainError } from './error.ts';

/** Turns the errors of all connections, one for every try to reconnect, into a few lines for the log. */
export interface Outage {
  failed(connection: string, error: unknown): void;
  /** Not worth a line by itself: the next connection may succeed, or fail with an error that says more. */
  closed(connection: string): void;
  works(connection: string): void;
}

export function createOutage(log: Pick<Log, 'info' | 'warn'>): Outage {
  const away = new Set<string>();
  const told = new Set<string>();

  function failed(connection: string, error: unknown): void {
    away.add(connection);
    const plain = plainError(error);
    const kind = errorKind(plain);
    // Another kind of error is news: a server that is back but refuses the password.
    if (told.has(kind)) return;
    told.add(kind);
    log.warn({ err: plain }, 'redis is away');
  }

  return {
    failed,
    closed(connection) {
      if (!away.has(connection)) away.add(connection);
      else if (told.size === 0)
        failed(connection, new Error('Connections are closed as soon as they are made.'));
    },
    works(connection) {
      if (!away.delete(connection) || away.size > 0 || told.size === 0) return;
      told.clear();
      log.info({}, 'redis is back');
    },
  };
}
