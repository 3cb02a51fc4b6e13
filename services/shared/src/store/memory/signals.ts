import type { Listeners } from '../listeners.ts';
import type { SignalBus } from '../ports.ts';

/** All subscribers are in this process, so they have got the message when `publish` resolves. */
export function createMemorySignals(deps: { listeners: Listeners; assertOpen: () => void }): SignalBus {
  return {
    async publish(message) {
      deps.assertOpen();
      deps.listeners.notify(message);
    },
    subscribe: (listener) => deps.listeners.add(listener),
  };
}
