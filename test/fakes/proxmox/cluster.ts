import { sleep } from '@porthole/shared/time/clock';
import { createPermissions, type Permissions, type TokenOptions, type UserOptions } from './acl.ts';
import { createAccounts, type Accounts } from './accounts.ts';
import { createConsolePorts, type ConsolePorts } from './console-ports.ts';
import { createFaults, type Faults } from './faults.ts';
import type { Machine } from './machines.ts';
import type { Random } from './random.ts';
import type { Settings } from './settings.ts';
import { createSlots, type Slots } from './slots.ts';
import { createTasks, type Tasks } from './tasks.ts';
import { createTickets, type Tickets } from './tickets.ts';
import type { TrackedClock } from './tracked-clock.ts';
import type { FrameRule } from './websocket-frames.ts';

/** One entry per request, as in an access log, for assertions. */
export interface Call {
  readonly node: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** 0: no response. 101: a console. */
  readonly status: number;
  readonly user: string | null;
}

export interface Violation {
  readonly node: string;
  readonly vmid: number;
  readonly rule: FrameRule;
}

export interface LiveConsole {
  readonly vmid: number;
  readonly node: string;
  /** Ends it as the server does: closes the connection without a close frame. */
  end(): void;
  /** Breaks its connection (RST), as a packet filter can. */
  reset(): void;
}

export interface ClusterNode {
  readonly name: string;
  readonly id: number;
  readonly fqdn: string;
  readonly address: string;
  readonly fingerprint: string;
  readonly ports: ConsolePorts;
  readonly pvedaemon: Slots;
  down: boolean;
}

/** The state that all nodes of the fake share, as in pmxcfs: guests, users, keys; and the records for tests. */
export interface Cluster {
  readonly settings: Settings;
  readonly clock: TrackedClock;
  readonly random: Random;
  readonly users: readonly UserOptions[];
  readonly tokens: readonly TokenOptions[];
  readonly permissions: Permissions;
  readonly accounts: Accounts;
  readonly tickets: Tickets;
  readonly tasks: Tasks;
  readonly faults: Faults;
  readonly caPem: string;
  readonly nodes: Map<string, ClusterNode>;
  /** Undefined for a node that is in no cluster. */
  readonly clusterName: string | undefined;
  readonly machines: Map<number, Machine>;
  readonly calls: Call[];
  readonly violations: Violation[];
  readonly consoles: Set<LiveConsole>;
  readonly secrets: Set<string>;
  /** Records a secret, which must not be logged, and returns it. */
  secret(text: string): string;
  sleep(ms: number): Promise<void>;
  /** Whether consoles of the guest send nothing and stay open: ssh to a dead node has no connect timeout. */
  isSilent(machine: Machine): boolean;
}

export function createCluster(options: {
  settings: Settings;
  clock: TrackedClock;
  random: Random;
  users: readonly UserOptions[];
  tokens: readonly TokenOptions[];
  machines: readonly Machine[];
  caPem: string;
}): Cluster {
  const { settings, clock, random, users, tokens } = options;
  const machines = new Map(options.machines.map((machine) => [machine.vmid, machine]));
  const secrets = new Set(tokens.map((token) => token.secret));
  const nodes = new Map<string, ClusterNode>();
  return {
    settings,
    clock,
    random,
    users,
    tokens,
    permissions: createPermissions({
      users,
      tokens,
      poolOf: (vmid) => machines.get(vmid)?.pool,
      pooled: () => [...machines.values()].filter(({ pool }) => pool !== undefined).map(({ vmid }) => vmid),
    }),
    accounts: createAccounts(users),
    tickets: createTickets({ clock, bindPort: settings.mode === 'new' }),
    tasks: createTasks({ clock, random }),
    faults: createFaults(),
    caPem: options.caPem,
    nodes,
    get clusterName() {
      return nodes.size > 1 ? 'porthole' : undefined;
    },
    machines,
    calls: [],
    violations: [],
    consoles: new Set(),
    secrets,
    secret(text) {
      secrets.add(text);
      return text;
    },
    sleep: (ms) => sleep(clock, ms),
    isSilent: (machine) => machine.stalled || nodes.get(machine.node)?.down === true,
  };
}

export function createClusterNode(
  node: Pick<ClusterNode, 'name' | 'id' | 'fqdn' | 'address' | 'fingerprint'>,
  { settings, clock }: Pick<Cluster, 'settings' | 'clock'>,
): ClusterNode {
  const { portRange: range, reservationMs, pvedaemonWorkers } = settings;
  return {
    ...node,
    ports: createConsolePorts({ clock, range, reservationMs }),
    pvedaemon: createSlots(pvedaemonWorkers),
    down: false,
  };
}
