import type { Log } from '../telemetry/log.ts';

export interface Listeners {
  add(listener: (message: string) => void): () => void;
  notify(message: string): void;
  clear(): void;
}

/** Who listens in this process. One that throws keeps the message from nobody else. */
export function createListeners(log: Pick<Log, 'error'> | undefined): Listeners {
  // Wrapped, so that a function that subscribes twice is told twice and leaves once at a time.
  const listeners = new Set<{ tell: (message: string) => void }>();

  return {
    add(listener) {
      const entry = { tell: listener };
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
    notify(message) {
      for (const { tell } of listeners) {
        try {
          tell(message);
        } catch (error) {
          log?.error({ err: error }, 'a listener of signals failed');
        }
      }
    },
    clear: () => listeners.clear(),
  };
}
