import { every, type Cancel, type Clock } from '../../time/clock.ts';
import { storeKeys } from '../keys.ts';
import type { Listeners } from '../listeners.ts';
import type { SignalBus } from '../ports.ts';
import type { StoreRequest } from './request.ts';
import type { RedisClient } from './connection.ts';
import type { RedisOutageLog } from './outage.ts';

/** Interval at which the subscription is renewed. */
const refreshMs = 10_000;

export interface RedisSignals extends SignalBus {
  /** Connects the subscriber. Call it once. */
  start(): Promise<void>;
  /** Stops the heartbeat. The owner of the subscriber disconnects it. */
  stop(): void;
}

/**
 * Publishes on the shared client and subscribes on a client of its own. SUBSCRIBE can be repeated, so it is used to
 * subscribe first, to subscribe again after an outage or an error, and as a heartbeat. Without a heartbeat, a connection
 * on which only Redis sends would not notice that it is dead.
 */
export function createRedisSignals(deps: {
  client: RedisClient;
  subscriber: RedisClient;
  clock: Clock;
  listeners: Listeners;
  outage: RedisOutageLog;
  request: StoreRequest;
}): RedisSignals {
  const { client, subscriber, listeners, outage, request } = deps;
  let stopRefreshing: Cancel | undefined;
  let subscribing = Promise.resolve();

  function ensureSubscribed(): void {
    if (subscriber.status !== 'ready') return;
    subscribing = subscriber.subscribe(storeKeys.signals).then(
      () => outage.recovered('signals'),
      (error: unknown) => outage.failed('signals', error),
    );
  }

  subscriber.on('error', (error) => outage.failed('signals', error));
  subscriber.on('close', () => outage.closed('signals'));
  subscriber.on('ready', ensureSubscribed);
  subscriber.on('message', (_channel: string, message: string) => listeners.notify(message));

  return {
    async start() {
      stopRefreshing = every(deps.clock, refreshMs, ensureSubscribed);
      await subscriber.connect();
      await subscribing;
    },
    stop() {
      stopRefreshing?.();
    },
    async publish(message) {
      await request(() => client.publish(storeKeys.signals, message));
    },
    subscribe: (listener) => listeners.add(listener),
  };
}
