import { systemClock } from '@porthole/shared/time/clock';
import { configSchema } from '@porthole/shared/config/schema';
import { constantSecret } from '@porthole/shared/config/secret';
import { mintGrant } from '@porthole/shared/grant/grant';
import { mintWallGrant } from '@porthole/shared/grant/wall-grant';
import { createLifecycle } from '@porthole/shared/process/lifecycle';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { createPublicServer } from '@porthole/shared/http/public-server';
import { randomId, systemRandom } from '@porthole/shared/crypto/random';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createRelay } from '@porthole/relay/relay';
import { serveParent } from './child.ts';
import { createProfileChild, type ProfileRequest } from './profile-child.ts';

/**
 * Porthole's relay with the store in memory, which also mints grants on request. A second URL and CA are those of a
 * cluster `desktops`. A fifth argument is a directory in which all consoles are recorded.
 */
const [upstream = '', caPem = '', desktops, desktopsCaPem = '', recordings] = process.argv.slice(2);
const origin = 'http://localhost:8080';
const clusterAt = (name: string, url: string, ca: string) => ({
  name,
  urls: url,
  nodes: { pve1: url },
  credential: { token: 'bench@pve!relay', secret: constantSecret('bench') },
  tls: { caFile: constantSecret(ca) },
  opensPerNode: 100,
});
const config = configSchema.parse({
  publicUrl: origin,
  clusters: [
    clusterAt('lab', upstream, caPem),
    ...(desktops === undefined || desktops === '' ? [] : [clusterAt('desktops', desktops, desktopsCaPem)]),
  ],
  signIn: { local: { usersFile: constantSecret('users: []') } },
  ...(recordings === undefined
    ? {}
    : {
        recordings: {
          encryptionKeys: constantSecret('r'.repeat(40)),
          storage: { directory: recordings },
          // As with Helm, but with more room: a bench records more in a minute than a class does.
          spool: { directory: `${recordings}-spool`, diskMiB: 16_384 },
        },
      }),
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

let lastVmid = 100;
function mint({ cluster = 'lab', vmid = 0 }: { cluster?: string; vmid?: number }): Promise<string> {
  const now = clock.now();
  lastVmid = lastVmid < 9_000 ? lastVmid + 1 : 100;
  const machine = vmid || lastVmid;
  return mintGrant(
    { records: store.records, keys, random, clock },
    {
      version: 1,
      sessionId: randomId(random),
      loginRef: 'bench',
      user: { id: `user-${lastVmid}`, name: 'Bench', groups: [] },
      cluster,
      node: 'pve1',
      type: 'qemu',
      vmid: machine,
      machineName: `bench-${machine}`,
      mode: 'control',
      kind: 'screen',
      ...(recordings === undefined
        ? {}
        : { recording: { mode: 'required' as const, keys: false, clipboard: false, rule: 'bench' } }),
      limits: { sessionSeconds: 3600, idleSeconds: 3600, perUser: 100_000, perMachine: 100_000 },
      origins: [origin],
      issuedAt: now,
      expiresAt: now + 600_000,
    },
  );
}

/** A grant for a wall of machines of the cluster `desktops`, from this one on. */
function mintWall(firstVmid: number, count: number): Promise<string> {
  const now = clock.now();
  return mintWallGrant(
    { records: store.records, keys, random, clock },
    {
      version: 1,
      sessionId: randomId(random),
      loginRef: 'bench',
      user: { id: 'instructor', name: 'Instructor' },
      class: 'bench',
      seats: Array.from({ length: count }, (_, seat) => ({
        seat,
        cluster: 'desktops',
        node: 'pve1',
        type: 'qemu' as const,
        vmid: firstVmid + seat,
        machineName: `bench-${seat}`,
      })),
      sessionSeconds: 3600,
      origins: [origin],
      issuedAt: now,
      expiresAt: now + 600_000,
    },
  );
}

const profile = createProfileChild();
type WallRequest = { readonly wall: number; readonly firstVmid: number };
type MintRequest = { readonly mint: number; readonly cluster?: string; readonly vmid?: number };
serveParent(
  { port: server.address().port },
  async (request: MintRequest | WallRequest | { readonly metrics: true } | ProfileRequest) => {
    if ('wall' in request) return { token: await mintWall(request.firstVmid, request.wall) };
    if ('profile' in request) return profile(request);
    if ('metrics' in request) return { metrics: await registry.metrics() };
    return { tokens: await Promise.all(Array.from({ length: request.mint }, () => mint(request))) };
  },
);
