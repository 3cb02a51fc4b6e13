import { every, type Cancel, type Clock } from '../../time/clock.ts';
import { storeKeys } from '../keys.ts';
import type { Listeners } from '../listeners.ts';
import type { SignalBus } from '../ports.ts';
import type { StoreRequest } from './request.ts';
import type { RedisClient } from './connection.ts';
import type { Outage } from './outage.ts';

/** How often the subscription is made sure of. */
const refreshMs = 10_000;

export interface RedisSignals extends SignalBus {
  start(): Promise<void>;
  stop(): void;
}

/**
 * Publishes on the client that all calls share, listens on one of its own. SUBSCRIBE may be repeated at will,
 * so it serves for everything: the first time, after an outage, after a refusal, and as a heartbeat. Without
 * one, a connection on which only Redis speaks would never notice that it is dead.
 */
export function createRedisSignals(deps: {
  client: RedisClient;
  subscriber: RedisClient;
  clock: Clock;
  listeners: Listeners;
  outage: Outage;
  ask: StoreRequest;
}): RedisSignals {
  const { client, subscriber, listeners, outage, ask } = deps;
  let stopRefreshing: Cancel | undefined;
  let listening = Promise.resolve();

  function listen(): void {
    if (subscriber.status !== 'ready') return;
    listening = subscriber.subscribe(storeKeys.signals).then(
      () => outage.works('signals'),
      (error: unknown) => outage.failed('signals', error),
    );
  }

  subscriber.on('error', (error) => outage.failed('signals', error));
  subscriber.on('close', () => outage.closed('signals'));
  subscriber.on('ready', listen);
  subscriber.on('message', (_channel: string, message: string) => listeners.tell(message));

  return {
    async start() {
      stopRefreshing = every(deps.clock, refreshMs, listen);
      await subscriber.connect();
      await listening;
    },
    stop() {
      stopRefreshing?.();
      subscriber.disconnect();
    },
    async publish(message) {
      await ask(() => client.publish(storeKeys.signals, message));
    },
    subscribe: (listener) => listeners.add(listener),
  };
}
