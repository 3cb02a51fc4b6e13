import type { Clock } from '@porthole/shared/time/clock';
import type { Log } from '@porthole/shared/telemetry/log';
import { randomId, type RandomBytes } from '@porthole/shared/crypto/random';
import type { BrokerMetrics } from '../metrics.ts';
import type { Step } from './context.ts';

/**
 * Logs and counts each request. Must be the outermost middleware. Sets a request ID of our own, because an ID from the
 * client could forge log lines. The line has no query string, header, or body, because they carry secrets.
 */
export function logRequests(deps: {
  readonly log: Pick<Log, 'info' | 'debug'>;
  readonly metrics: Pick<BrokerMetrics, 'request'>;
  readonly random: RandomBytes;
  readonly clock: Clock;
}): Step {
  return async (ctx, next) => {
    const startedAt = deps.clock.now();
    ctx.state.requestId = randomId(deps.random, 9);
    ctx.set('x-request-id', ctx.state.requestId);
    try {
      await next();
    } finally {
      const ms = deps.clock.now() - startedAt;
      const { route = 'other', requestId, user, trace } = ctx.state;
      const { method, path, status } = ctx;
      const line = { requestId, method, path, status, ms, user: user?.id, ...(trace ? { trace } : {}) };
      // Each page loads a dozen assets.
      if (route === 'asset' && status < 400) deps.log.debug(line, 'request');
      else deps.log.info(line, 'request');
      deps.metrics.request({ route, method, status, seconds: ms / 1000 });
    }
  };
}
