import { systemClock } from '@porthole/shared/time/clock';
import { configSchema } from '@porthole/shared/config/schema';
import { constantSecret } from '@porthole/shared/config/secret';
import { mintGrant } from '@porthole/shared/grant/grant';
import { createLifecycle } from '@porthole/shared/process/lifecycle';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { createPublicServer } from '@porthole/shared/http/public-server';
import { randomId, systemRandom } from '@porthole/shared/crypto/random';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createRelay } from '@porthole/relay/relay';
import { serveParent } from './child.ts';
import { createProfileChild, type ProfileRequest } from './profile-child.ts';

/** Porthole's relay with the store in memory, which also mints grants on request. */
const [upstream = '', caPem = ''] = process.argv.slice(2);
const origin = 'http://localhost:8080';
const config = configSchema.parse({
  publicUrl: origin,
  clusters: [
    {
      name: 'lab',
      urls: upstream,
      nodes: { pve1: upstream },
      credential: { token: 'bench@pve!relay', secret: constantSecret('bench') },
      tls: { caFile: constantSecret(caPem) },
      opensPerNode: 100,
    },
  ],
  signIn: { local: { usersFile: constantSecret('users: []') } },
  limits: { consolesPerRelay: 100_000, queuedPerRelay: 100_000, upgradesPerMinute: 10_000_000 },
});
const log = createLog({ service: 'relay', level: 'info' });
const clock = systemClock;
const store = createMemoryStore({ clock });
const keys = () => ['k'.repeat(40)];
const random = systemRandom;
const registry = createRegistry();
const relay = createRelay({ config, keys, store, clock, random, log, registry });
const server = createPublicServer({
  listen: { host: '127.0.0.1', port: 0 },
  onRequest: relay.onRequest,
  onUpgrade: relay.onUpgrade,
  maxConnections: config.limits.httpConnections,
  registry,
});
await store.start();
await createLifecycle({ clock, log, components: [server, ...relay.components] }).start();

let vmid = 100;
function mint(): Promise<string> {
  const now = clock.now();
  vmid = vmid < 9_000 ? vmid + 1 : 100;
  return mintGrant(
    { records: store.records, keys, random, clock },
    {
      version: 1,
      sessionId: randomId(random),
      loginRef: 'bench',
      user: { id: `user-${vmid}`, name: 'Bench', groups: [] },
      cluster: 'lab',
      node: 'pve1',
      type: 'qemu',
      vmid,
      machineName: `bench-${vmid}`,
      mode: 'control',
      kind: 'screen',
      limits: { sessionSeconds: 3600, idleSeconds: 3600, perUser: 100_000, perMachine: 100_000 },
      origins: [origin],
      issuedAt: now,
      expiresAt: now + 600_000,
    },
  );
}

const profile = createProfileChild();
serveParent({ port: server.address().port }, async (request: { mint: number } | ProfileRequest) =>
  'profile' in request
    ? profile(request)
    : { tokens: await Promise.all(Array.from({ length: request.mint }, mint)) },
);
