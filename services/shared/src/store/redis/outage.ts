import type { Log } from '../../telemetry/log.ts';
import { errorKind, withoutArguments } from './error.ts';

/** Turns the errors of all connections, one for every try to reconnect, into a few lines for the log. */
export interface RedisOutageLog {
  failed(connection: string, error: unknown): void;
  /** Not worth a line by itself: the next connection may succeed, or fail with an error that says more. */
  closed(connection: string): void;
  recovered(connection: string): void;
}

export function createRedisOutageLog(log: Pick<Log, 'info' | 'warn'>): RedisOutageLog {
  const failing = new Set<string>();
  const logged = new Set<string>();

  function failed(connection: string, error: unknown): void {
    failing.add(connection);
    const plain = withoutArguments(error);
    const kind = errorKind(plain);
    // Another kind of error is news: a server that is back but refuses the password.
    if (logged.has(kind)) return;
    logged.add(kind);
    log.warn({ err: plain }, 'redis is away');
  }

  return {
    failed,
    closed(connection) {
      if (!failing.has(connection)) failing.add(connection);
      else if (logged.size === 0)
        failed(connection, new Error('Connections are closed as soon as they are made.'));
    },
    recovered(connection) {
      if (!failing.delete(connection) || failing.size > 0 || logged.size === 0) return;
      logged.clear();
      log.info({}, 'redis is back');
    },
  };
}
