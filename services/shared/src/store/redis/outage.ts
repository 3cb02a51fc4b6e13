import type { Log } from '../../telemetry/log.ts';
import { errorKind, withoutArguments } from './error.ts';

/** Turns the errors of all connections, one for each attempt to reconnect, into a few log lines. */
export interface RedisOutageLog {
  failed(connection: string, error: unknown): void;
  /** Logs nothing by itself: the next attempt may succeed, or fail with an error that says more. */
  closed(connection: string): void;
  recovered(connection: string): void;
  /** Logs nothing from now on: connections that close are expected. */
  stop(): void;
}

/** Kinds of errors that one outage logs. Redis chooses the words, so their number must be limited. */
const maxKinds = 10;

export function createRedisOutageLog(log: Pick<Log, 'info' | 'warn'>): RedisOutageLog {
  const failing = new Set<string>();
  const loggedKinds = new Set<string>();
  let stopped = false;

  function failed(connection: string, error: unknown): void {
    failing.add(connection);
    const plain = withoutArguments(error);
    const kind = errorKind(plain);
    // Another kind of error is news: a server that is back but rejects the password.
    if (stopped || loggedKinds.has(kind) || loggedKinds.size >= maxKinds) return;
    loggedKinds.add(kind);
    log.warn({ err: plain }, 'redis is unavailable');
  }

  return {
    failed,
    closed(connection) {
      if (!failing.has(connection)) failing.add(connection);
      else if (loggedKinds.size === 0)
        failed(connection, new Error('Redis closes each connection as soon as it is made.'));
    },
    recovered(connection) {
      if (!failing.delete(connection) || failing.size > 0 || loggedKinds.size === 0) return;
      loggedKinds.clear();
      if (!stopped) log.info({}, 'redis is available again');
    },
    stop() {
      stopped = true;
    },
  };
}
