import { leaseNames } from '@porthole/shared/store/keys';
import { onAbort } from '@porthole/shared/time/on-abort';
import type { Dial, DialRequest } from '../upstream/dial.ts';
import type { MachineKey } from './contracts.ts';

interface Waiting {
  readonly machine: string;
  readonly start: () => void;
}

/** The dials to one node that are in progress at this relay. */
interface NodeDials {
  running: number;
  /** Of walls, in order. */
  readonly waiting: Waiting[];
}

export interface WallDials {
  readonly dial: Dial;
  /** A user waits for this machine's screen: its dial begins at once. */
  letPass(machine: MachineKey): void;
}

/**
 * Lets users' dials go first: a wall opens a console only while this relay opens fewer than the node allows, so its
 * dials do not queue in front of those of users.
 */
export function createWallDials(dial: Dial): WallDials {
  const nodes = new Map<string, NodeDials>();

  function end(node: NodeDials, { claims, cluster }: DialRequest): void {
    node.running--;
    startNext(node, cluster.opensPerNode);
    if (node.running === 0) nodes.delete(nameOf(cluster, claims));
  }

  /** The dial counts already. */
  function run(node: NodeDials, request: DialRequest): ReturnType<Dial> {
    const dialled = dial(request);
    const onEnd = () => end(node, request);
    // The caller gets the dial itself, so that dials of users end in the same order as without walls.
    void dialled.then(onEnd, onEnd);
    return dialled;
  }

  function startNext(node: NodeDials, limit: number): void {
    while (node.running < limit && node.waiting.length > 0) node.waiting.shift()?.start();
  }

  return {
    dial(request) {
      const { claims, cluster, signal } = request;
      const name = nameOf(cluster, claims);
      const node = nodes.get(name) ?? { running: 0, waiting: [] };
      nodes.set(name, node);
      if (claims.thumbnail && node.running >= cluster.opensPerNode) {
        const turn = waitForTurn(node, leaseNames.machine(cluster.name, claims.vmid), signal);
        return turn.then(() => run(node, request));
      }
      node.running++;
      return run(node, request);
    },
    letPass({ cluster, vmid }) {
      const machine = leaseNames.machine(cluster, vmid);
      for (const { waiting } of nodes.values()) {
        const at = waiting.findIndex((each) => each.machine === machine);
        if (at >= 0) waiting.splice(at, 1)[0]?.start();
      }
    },
  };
}

function nameOf({ name }: DialRequest['cluster'], { node }: DialRequest['claims']): string {
  return leaseNames.node(name, node);
}

/** The dial counts as soon as it may begin. */
async function waitForTurn(node: NodeDials, machine: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const entry = {
    machine,
    start() {
      node.running++;
      resolve();
    },
  };
  node.waiting.push(entry);
  const stopListening = onAbort(signal, (reason) => {
    const at = node.waiting.indexOf(entry);
    if (at >= 0) node.waiting.splice(at, 1);
    reject(reason);
  });
  try {
    await promise;
  } finally {
    stopListening();
  }
}
