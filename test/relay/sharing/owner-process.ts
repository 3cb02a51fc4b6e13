import { createForwardListener } from '@porthole/relay/sharing/forward-listener';
import { createSharingMetrics } from '@porthole/relay/sharing/sharing-metrics';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { systemClock } from '@porthole/shared/time/clock';
import { EchoConsole } from './echo-console.ts';

/** An owner in a process of its own. Its parent has the store, and answers `{ take }` with `{ taken }`. */
const [port = '', grantKey = ''] = process.argv.slice(2);
const listener = createForwardListener({
  listen: { host: '127.0.0.1', port: Number(port) },
  address: `127.0.0.1:${port}`,
  records: {
    take: (key) =>
      new Promise((resolve) => {
        process.once('message', (message: { taken?: string }) => resolve(message.taken));
        process.send?.({ take: key });
      }),
  },
  keys: () => [grantKey],
  random: systemRandom,
  clock: systemClock,
  metrics: createSharingMetrics(createRegistry()),
  accept: async () => {
    const link = new EchoConsole();
    return { link, ended: link.ended };
  },
  maxViewers: 10,
  drainMs: 0,
});
await listener.start?.();
process.once('disconnect', () => process.exit());
process.send?.('ready');
