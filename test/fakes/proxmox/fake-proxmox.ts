import { systemClock, type Clock } from '@porthole/shared/time/clock';
import type { Acl, TokenOptions, UserOptions } from './acl.ts';
import { createCertificateAuthority } from './certificates.ts';
import { createCluster, createClusterNode, type Call, type Violation } from './cluster.ts';
import { createDispatch } from './dispatch.ts';
import type { Fault } from './faults.ts';
import { listenTogether } from './listen-together.ts';
import { createMachine, type GuestOptions } from './machines.ts';
import { createNodeServer } from './node-server.ts';
import { createRandom } from './random.ts';
import { accessRoutes } from './routes/access.ts';
import { clusterRoutes } from './routes/cluster.ts';
import { consoleRoutes } from './routes/consoles.ts';
import { nodeShellRoutes } from './routes/node-shells.ts';
import { guestRoutes } from './routes/guests.ts';
import { powerRoutes } from './routes/power.ts';
import { taskRoutes } from './routes/tasks.ts';
import { defaultSettings, type Settings } from './settings.ts';
import { createStatusCache } from './status-cache.ts';
import { createTrackedClock } from './tracked-clock.ts';

export type { Acl, TokenOptions, UserOptions } from './acl.ts';
export type { Call, Violation } from './cluster.ts';
export type { Fault } from './faults.ts';
export type { GuestOptions } from './machines.ts';
export type { Settings } from './settings.ts';

export interface NodeOptions {
  readonly name: string;
  /** Nodes on the same address get different ports, for machines that have only 127.0.0.1. */
  readonly address: string;
  /** Default: the port that all nodes share. */
  readonly port?: number;
}

export interface FakeProxmoxOptions extends Partial<Settings> {
  readonly clock?: Clock;
  /** Default: pve1 on 127.0.0.2 and pve2 on 127.0.0.3. */
  readonly nodes?: readonly NodeOptions[];
  /**
   * The search domain of the hosts. Without it (null), certificates contain the nodes' names and addresses, but no
   * full domain names. Default: porthole.test.
   */
  readonly searchDomain?: string | null;
  /** Default 0: a free port. */
  readonly port?: number;
  readonly users?: readonly UserOptions[];
  readonly tokens?: readonly TokenOptions[];
  readonly guests?: readonly GuestOptions[];
  /** Seed for frame borders and passwords. */
  readonly seed?: number;
}

export interface FakeNode {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly url: string;
  readonly fingerprint: string;
  readonly certPem: string;
}

/** A simulated Proxmox VE cluster on loopback addresses that behaves like the real one, faults included. */
export interface FakeProxmox {
  readonly nodes: readonly FakeNode[];
  readonly caPem: string;
  /** `https://address:port` of a node; default the first. */
  url(node?: string): string;

  // Events in a cluster.
  addGuest(guest: GuestOptions): Promise<void>;
  removeGuest(vmid: number): void;
  rename(vmid: number, name: string): void;
  /** Moves the guest: its consoles end, and new ones open only on the other node. */
  migrate(vmid: number, toNode: string): void;
  setNodeDown(node: string, down: boolean): Promise<void>;
  setAcl(userOrToken: string, acl: Acl): void;
  /** Whether the account may log in, and renew a ticket. */
  setUserEnabled(userid: string, enabled: boolean): void;
  /** Invalidates all tickets. */
  rotateKey(): void;
  /** Refreshes the status of all guests, as pvestatd does periodically. */
  refreshStatus(): void;

  // Faults.
  /** The guest's monitor hangs: consoles get a 101 and are closed after `vncSilenceMs` without a byte. */
  hang(vmid: number, hung?: boolean): void;
  /** Sets the lock of a running operation on the guest; undefined removes it. */
  lock(vmid: number, lock: string | undefined): void;
  /** The guest ignores shutdown and reboot requests. */
  makeStubborn(vmid: number, stubborn?: boolean): void;
  /** Consoles of the guest are upgraded, then send nothing and stay open. */
  stallConsole(vmid: number, stalled?: boolean): void;
  /** Makes the container's dtach stop, as too much input at once does. */
  stopDtach(vmid: number): void;
  /** Kills the container's dtach: its terminals end, and new ones work. */
  killDtach(vmid: number): void;
  /** Replaces the responses of the guest's vncproxy and termproxy; null restores them. */
  refuseVncproxy(vmid: number, fault: Fault | null): void;
  /** Replaces the responses of calls that match `where`, such as `GET /cluster/resources`, without /api2/json. */
  failRequests(where: RegExp, fault: Fault | null): void;
  /** Ends one pveproxy worker and its connections; default the worker with the most connections. */
  killWorker(node: string, index?: number): void;
  /** Ends the guest's consoles from the server's side. */
  dropConsoles(vmid: number): void;
  /** Breaks the connections of the guest's consoles. */
  resetConsoles(vmid: number): void;

  // Records.
  readonly calls: readonly Call[];
  readonly violations: readonly Violation[];
  openConsoles(vmid?: number): number;
  /** Maximum number of vncproxy and termproxy calls that the node processed or queued at the same time. */
  maxVncproxyInFlight(node: string): number;
  /** All tickets, CSRF tokens, VNC passwords and token secrets of this cluster, none of which may be logged. */
  issuedSecrets(): string[];
  /** Stops everything, guests included. */
  close(): Promise<void>;
}

const defaultNodes: readonly NodeOptions[] = [
  { name: 'pve1', address: '127.0.0.2' },
  { name: 'pve2', address: '127.0.0.3' },
];

export async function createFakeProxmox(options: FakeProxmoxOptions = {}): Promise<FakeProxmox> {
  const settings: Settings = { ...defaultSettings, ...options };
  const { searchDomain = 'porthole.test' } = options;
  const clock = createTrackedClock(options.clock ?? systemClock);
  const authority = createCertificateAuthority();
  const cluster = createCluster({
    settings,
    clock,
    random: createRandom(options.seed ?? 1),
    users: options.users ?? [],
    tokens: options.tokens ?? [],
    machines: (options.guests ?? []).map((guest) => createMachine(guest, () => clock.now())),
    caPem: authority.caPem,
  });
  const guestsToStart = (options.guests ?? []).filter(({ running, template }) => running ?? !template);
  await Promise.all(guestsToStart.map(async ({ guest }) => guest?.start()));

  const statusCache = createStatusCache(cluster);
  const routes = [
    ...accessRoutes,
    ...clusterRoutes(statusCache),
    ...guestRoutes,
    ...powerRoutes,
    ...taskRoutes,
    ...consoleRoutes,
    ...nodeShellRoutes,
  ];
  const dispatch = createDispatch(cluster, routes);

  const members = (options.nodes ?? defaultNodes).map(
    ({ name, address, port = options.port ?? 0 }, index) => {
      const fqdn = searchDomain === null ? name : `${name}.${searchDomain}`;
      const certificate = authority.issue({ name, fqdn, address });
      const { fingerprint } = certificate;
      const node = createClusterNode({ name, id: index + 1, fqdn, address, fingerprint }, cluster);
      cluster.nodes.set(name, node);
      const server = createNodeServer({
        certificate,
        clock,
        keepAliveMs: settings.keepAliveMs,
        workers: settings.pveproxyWorkers,
        handle: (request, worker) => dispatch(request, node, worker),
        onRefused: (method, path, status) =>
          void cluster.calls.push({ node: name, method, path, status, user: null }),
      });
      return { name, address, wantedPort: port, certificate, node, server };
    },
  );
  await listenTogether(members);
  statusCache.refresh();

  const member = (name: string) => {
    const found = members.find((candidate) => candidate.name === name);
    if (!found) throw new Error(`The fake cluster has no node ${name}.`);
    return found;
  };
  const machine = (vmid: number) => {
    const found = cluster.machines.get(vmid);
    if (!found) throw new Error(`The fake cluster has no guest ${vmid}.`);
    return found;
  };
  const dropConsoles = (vmid: number) => {
    for (const one of cluster.consoles) if (one.vmid === vmid) one.end();
  };
  const nodes = members.map(({ name, address, server, certificate: { certPem, fingerprint } }): FakeNode => {
    const { port } = server;
    return { name, address, port, url: `https://${address}:${port}`, fingerprint, certPem };
  });
  let closing: Promise<void> | undefined;

  return {
    nodes,
    caPem: authority.caPem,
    url: (name) => nodes.find((node) => node.name === member(name ?? nodes[0]?.name ?? '').name)?.url ?? '',

    async addGuest(guest) {
      if (guest.running ?? !guest.template) await guest.guest?.start();
      cluster.machines.set(
        guest.vmid,
        createMachine(guest, () => clock.now()),
      );
    },
    removeGuest(vmid) {
      dropConsoles(vmid);
      cluster.machines.delete(vmid);
    },
    rename: (vmid, name) => void (machine(vmid).name = name),
    migrate(vmid, toNode) {
      machine(vmid).node = member(toNode).name;
      dropConsoles(vmid);
    },
    async setNodeDown(name, down) {
      const { node, server, address } = member(name);
      if (node.down === down) return;
      node.down = down;
      if (!down) {
        await server.listen(address, server.port);
        return;
      }
      for (const one of cluster.consoles) if (cluster.machines.get(one.vmid)?.node === name) one.end();
      await server.stop();
    },
    setAcl: (identity, acl) => cluster.permissions.setAcl(identity, acl),
    setUserEnabled: (userid, enabled) => cluster.accounts.setEnabled(userid, enabled),
    rotateKey: () => cluster.tickets.rotateKey(),
    refreshStatus: () => statusCache.refresh(),

    hang: (vmid, hung = true) => void (machine(vmid).hung = hung),
    lock: (vmid, lock) => void (machine(vmid).lock = lock),
    makeStubborn: (vmid, stubborn = true) => void (machine(vmid).stubborn = stubborn),
    stallConsole: (vmid, stalled = true) => void (machine(vmid).stalled = stalled),
    stopDtach: (vmid) => void (machine(vmid).dtachStopped = true),
    killDtach(vmid) {
      machine(vmid).dtachStopped = false;
      dropConsoles(vmid);
    },
    refuseVncproxy(vmid, fault) {
      const where = new RegExp(`^POST /nodes/[^/]+/(?:qemu|lxc)/${vmid}/(?:vnc|term)proxy$`);
      cluster.faults.set(`vncproxy ${vmid}`, where, fault);
    },
    failRequests: (where, fault) => cluster.faults.set(String(where), where, fault),
    killWorker: (name, index) => member(name).server.killWorker(index),
    dropConsoles,
    resetConsoles(vmid) {
      for (const one of cluster.consoles) if (one.vmid === vmid) one.reset();
    },

    calls: cluster.calls,
    violations: cluster.violations,
    openConsoles: (vmid) =>
      [...cluster.consoles].filter((one) => vmid === undefined || one.vmid === vmid).length,
    maxVncproxyInFlight: (name) => member(name).node.pvedaemon.highWaterMark,
    issuedSecrets: () => [...cluster.secrets],
    close() {
      closing ??= (async () => {
        clock.cancelAll();
        await Promise.all(members.map(({ server }) => server.stop()));
        await Promise.all([...cluster.machines.values()].map(async ({ guest }) => guest?.close()));
      })();
      return closing;
    },
  };
}
