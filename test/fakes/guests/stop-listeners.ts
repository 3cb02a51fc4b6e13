/** Listeners for the stop of a guest. */
export interface StopListeners {
  add(listener: () => void): () => void;
  notify(): void;
}

export function createStopListeners(): StopListeners {
  const listeners = new Set<() => void>();
  return {
    add(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    notify() {
      for (const listener of Array.from(listeners)) listener();
    },
  };
}
