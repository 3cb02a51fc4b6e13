import { readdirSync } from 'node:fs';
import { configSchema } from '@porthole/shared/config/schema';
import { constantSecret } from '@porthole/shared/config/secret';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createPublicServer } from '@porthole/shared/http/public-server';
import { createLifecycle } from '@porthole/shared/process/lifecycle';
import { createRedisStore } from '@porthole/shared/store/redis/store';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { systemClock } from '@porthole/shared/time/clock';
import { defaultDeadlines } from '@porthole/relay/upstream/deadlines';
import { createRelay } from '@porthole/relay/relay';
import { serveParent } from '../load/child.ts';
import { grantKey, relayToken, testOrigin } from '../relay/rig.ts';
import type { Measured } from './soak-report.ts';

/** The relay of the soak as a process of its own, so that what it holds is counted apart from its clients. */
const [redisUrl = '', proxmoxUrl = '', caPem = ''] = process.argv.slice(2);
const clock = systemClock;
const log = createLog({ service: 'relay', level: 'error' });
const keys = () => [grantKey];
const registry = createRegistry();
const config = configSchema.parse({
  publicUrl: testOrigin,
  clusters: [
    {
      name: 'lab',
      urls: proxmoxUrl,
      credential: { token: relayToken.id, secret: constantSecret(relayToken.secret) },
      tls: { caFile: constantSecret(caPem) },
    },
  ],
  signIn: { local: { usersFile: constantSecret('users: []') } },
  limits: { upgradesPerMinute: 10_000_000 },
});
const store = createRedisStore({ redis: { mode: 'standalone', url: redisUrl }, keys, log });
const relay = createRelay({
  config,
  keys,
  store,
  clock,
  log,
  registry,
  random: systemRandom,
  deadlines: { ...defaultDeadlines, viewerHandshake: 1500, unwatchedScreen: 500 },
});
const server = createPublicServer({
  listen: { host: '127.0.0.1', port: 0 },
  onRequest: relay.onRequest,
  onUpgrade: relay.onUpgrade,
  maxConnections: config.limits.httpConnections,
  registry,
  timeouts: { headersMs: 1000, requestMs: 2000, checkIntervalMs: 250 },
});
await store.start();
await createLifecycle({ clock, log, components: [server, ...relay.components] }).start();

function total(metrics: string, name: string): number {
  const samples = metrics
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

async function measure(): Promise<Measured> {
  const metrics = await registry.metrics();
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return {
    fileDescriptors: readdirSync('/proc/self/fd').length,
    timers: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length,
    heapBytes: heapUsed + external,
    sessions: total(metrics, 'porthole_relay_sessions'),
    connections: total(metrics, 'porthole_relay_sockets'),
    screens: total(metrics, 'porthole_relay_shared_screens'),
    sharing: total(metrics, 'porthole_relay_screen_sessions{way="shared"}'),
    adopted: total(metrics, 'porthole_relay_screen_adoptions_total{result="ok"}'),
  };
}

serveParent({ port: server.address().port }, measure);
