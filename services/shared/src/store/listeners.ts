import type { Log } from '../telemetry/log.ts';

export interface Listeners {
  add(listener: (message: string) => void): () => void;
  notify(message: string): void;
  clear(): void;
}

/** The subscribers in this process. If one throws, the others still get the message. */
export function createListeners(log: Pick<Log, 'error'> | undefined): Listeners {
  // Wrapped, so that the same function can be added several times.
  const listeners = new Set<{ notify: (message: string) => void }>();

  return {
    add(listener) {
      const entry = { notify: listener };
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
    notify(message) {
      for (const { notify } of listeners) {
        try {
          notify(message);
        } catch (error) {
          log?.error({ err: error }, 'signal listener failed');
        }
      }
    },
    clear: () => listeners.clear(),
  };
}
