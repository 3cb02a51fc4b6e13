import type { Clock } from '@porthole/shared/time/clock';
import type { OpeningStep } from '@porthole/shared/protocol/control-messages';
import { asPortholeError, PortholeError, type ErrorCode } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { leaseNames } from '@porthole/shared/store/keys';
import type { Tracing } from '@porthole/shared/telemetry/tracing';
import type { Deadlines } from '../session/deadlines.ts';
import type { Link } from '../stream/link.ts';
import type { MachineLink } from './proxmox-link.ts';
import { runHandshake, type TakeRest } from '../stream/run-handshake.ts';
import { openConsoleSocket } from './console-socket.ts';
import { withDeadline } from '../session/with-deadline.ts';
import { askEntry, type Entry } from './ticket.ts';
import type { LeaseLine } from './lease-queue.ts';
import { locateRunning, type LocatedMachine, type RelayCluster } from './machine.ts';

/** What Proxmox's side may say behind its handshake, in bytes: not more than a few reads bring. */
const maxRestBytes = 256 * 1024;

export interface DialRequest {
  readonly claims: GrantClaims;
  readonly cluster: RelayCluster;
  readonly signal: AbortSignal;
  readonly onPosition: (position: number) => void;
  readonly onStep: (step: OpeningStep) => void;
}

/** A console that has let the relay in: a VNC server that expects ClientInit next, or an open terminal. */
export interface DialledConsole {
  readonly link: MachineLink;
  readonly takeRest: TakeRest;
  readonly machine: LocatedMachine;
}

export interface DialDeps {
  readonly clock: Clock;
  readonly line: LeaseLine;
  readonly deadlines: Deadlines;
  readonly tracing: Pick<Tracing, 'withSpan'>;
  /** Told how long each phase took, in seconds. */
  readonly observe: (phase: OpeningStep | 'queue', seconds: number) => void;
  /** Told of people in line, and of openings under way at nodes: one more or one less in this cluster. */
  readonly waiting: (cluster: string, change: 1 | -1) => void;
  readonly opening: (cluster: string, change: 1 | -1) => void;
}

/**
 * Opens a console at Proxmox: in line for the machine, in line for the node, status, vncproxy or termproxy,
 * WebSocket, authentication.
 *
 * One dial at a time per machine, because each one replaces the machine's only VNC password; a few at a time
 * per node, because pvedaemon has three workers. Both until authentication is over.
 */
export function createDial(deps: DialDeps): (request: DialRequest) => Promise<DialledConsole> {
  const { clock, line, deadlines } = deps;

  return async function dial(request) {
    const { claims, cluster, signal, onPosition } = request;
    const holder = claims.sessionId;
    const queued = (name: string, limit: number) =>
      counted(deps.waiting, cluster.name, () =>
        timed('queue', () => line.acquire({ name, holder, limit, onPosition, signal })),
      );

    const releaseMachine = await queued(leaseNames.dial(cluster.name, claims.vmid), 1);
    try {
      const machine = await step(request, 'status', deadlines.status, 'proxmox_timeout', (phase) =>
        locateRunning(cluster, claims, phase),
      );
      const releaseNode = await queued(leaseNames.node(cluster.name, machine.node), cluster.opensPerNode);
      try {
        return await counted(deps.opening, cluster.name, () =>
          withDeadline({ clock, signal }, deadlines.dial, 'proxmox_timeout', (phase) =>
            openOnceMore({ ...request, signal: phase }, machine),
          ),
        );
      } finally {
        await releaseNode();
      }
    } finally {
      await releaseMachine();
    }
  };

  /**
   * Some failures are over by the next try, which is always a whole new vncproxy: a console opened outside of
   * Porthole replaced the password; the cluster key was rotated between ticket and use; pvedaemon "got no
   * worker upid" (seen under load).
   */
  async function openOnceMore(request: DialRequest, machine: LocatedMachine): Promise<DialledConsole> {
    try {
      return await open(request, machine);
    } catch (error) {
      if (request.signal.aborted || !worthAnotherTry.has(asPortholeError(error).code)) throw error;
      return open(request, machine);
    }
  }

  async function open(request: DialRequest, machine: LocatedMachine): Promise<DialledConsole> {
    const entry = await step(request, 'console', deadlines.console, 'proxmox_timeout', (phase) =>
      askEntry[request.claims.kind](machine, phase),
    );
    const link = await step(request, 'connect', deadlines.connect, 'proxmox_timeout', (phase) =>
      openConsoleSocket(machine, entry, phase),
    );
    try {
      const takeRest = await step(
        request,
        'authenticate',
        deadlines.firstByte + deadlines.authenticate,
        'console_timeout',
        (phase) => authenticate(link, entry, phase),
      );
      return { link, takeRest, machine };
    } catch (error) {
      link.destroy();
      throw hungUp.has(asPortholeError(error).code) ? await whyGone(request, error) : error;
    }
  }

  /** Proxmox closes the socket of a machine that has stopped meanwhile without a byte. */
  async function whyGone(request: DialRequest, error: unknown): Promise<unknown> {
    try {
      await withDeadline({ clock, signal: request.signal }, deadlines.diagnose, 'proxmox_timeout', (phase) =>
        locateRunning(request.cluster, request.claims, phase),
      );
      return error;
    } catch (found) {
      return asPortholeError(found).code === 'machine_stopped' ? found : error;
    }
  }

  function authenticate(link: Link, entry: Entry, signal: AbortSignal): Promise<TakeRest> {
    return new Promise((resolve, reject) => {
      const silent = clock.after(deadlines.firstByte, () =>
        reject(new PortholeError('console_timeout', { detail: `no byte within ${deadlines.firstByte} ms` })),
      );
      if (entry.hello) link.send(entry.hello);
      runHandshake(link, entry.handshake, {
        signal,
        firstByte: silent,
        pauseAfter: entry.talksOn === true,
        rest: { maxBytes: maxRestBytes, exceeded: () => link.destroy() },
        ended: (sentAnything, error) => reject(error ?? entry.gone(sentAnything)),
      })
        .then(resolve, reject)
        .finally(silent);
    });
  }

  function step<T>(
    { signal, onStep }: DialRequest,
    name: OpeningStep,
    ms: number,
    late: ErrorCode,
    phase: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    onStep(name);
    return timed(name, () => withDeadline({ clock, signal }, ms, late, phase));
  }

  async function timed<T>(phase: OpeningStep | 'queue', work: () => Promise<T>): Promise<T> {
    const since = clock.now();
    try {
      return await deps.tracing.withSpan(`console ${phase}`, {}, work);
    } finally {
      deps.observe(phase, (clock.now() - since) / 1000);
    }
  }
}

async function counted<T>(
  count: (cluster: string, change: 1 | -1) => void,
  cluster: string,
  work: () => Promise<T>,
): Promise<T> {
  count(cluster, 1);
  try {
    return await work();
  } finally {
    count(cluster, -1);
  }
}

const hungUp: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['console_lost', 'terminal_refused']);

const worthAnotherTry: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'console_auth_failed',
  'console_lost',
  'terminal_refused',
  'proxmox_invalid_response',
  'proxmox_credential',
]);
