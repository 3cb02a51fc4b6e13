import type { Clock } from '@porthole/shared/time/clock';
import type { OpeningStep } from '@porthole/shared/protocol/control-messages';
import { asPortholeError, PortholeError, type ErrorCode } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { leaseNames } from '@porthole/shared/store/keys';
import type { Tracing } from '@porthole/shared/telemetry/tracing';
import { withDeadline } from '@porthole/shared/time/with-deadline';
import type { RelayMetrics } from '../metrics.ts';
import type { Link } from '../stream/link.ts';
import { runHandshake, type TakeLeftover } from '../stream/run-handshake.ts';
import { openConsoleSocket } from './console-socket.ts';
import type { Deadlines } from './deadlines.ts';
import type { LeaseQueue } from './lease-queue.ts';
import { locateRunning, type LocatedMachine, type RelayCluster } from './machine.ts';
import type { MachineLink } from './proxmox-link.ts';
import { requestTicket, type ConsoleTicket } from './ticket.ts';

/** Most bytes that Proxmox may send behind its handshake: no more than a few reads bring. */
const maxLeftoverBytes = 256 * 1024;

export interface DialRequest {
  readonly claims: GrantClaims;
  readonly cluster: RelayCluster;
  readonly signal: AbortSignal;
  readonly onPosition: (position: number) => void;
  readonly onStep: (step: OpeningStep) => void;
}

/** A console that has authenticated the relay: a VNC server that expects ClientInit next, or an open terminal. */
export interface DialledConsole {
  readonly link: MachineLink;
  readonly takeLeftover: TakeLeftover;
  readonly machine: LocatedMachine;
}

export interface DialDeps {
  readonly clock: Clock;
  readonly queue: LeaseQueue;
  readonly deadlines: Deadlines;
  readonly tracing: Pick<Tracing, 'withSpan'>;
  readonly metrics: Pick<RelayMetrics, 'openPhase' | 'queued' | 'opening'>;
}

export type Dial = (request: DialRequest) => Promise<DialledConsole>;

/**
 * Opens a console at Proxmox: queue for the machine, status, queue for the node, vncproxy or termproxy, WebSocket,
 * authentication.
 *
 * One dial at a time per machine, because each replaces the machine's only VNC password. A few at a time per node,
 * because pvedaemon has three workers. Both leases are held until authentication is over.
 */
export function createDial(deps: DialDeps): Dial {
  const { clock, queue, deadlines, metrics } = deps;

  return async function dial(request) {
    const { claims, cluster, signal, onPosition } = request;
    const holder = claims.sessionId;
    const acquire = (name: string, limit: number) =>
      counted(metrics.queued, cluster.name, () =>
        timed('queue', () => queue.acquireInQueue({ name, holder, limit, onPosition, signal })),
      );

    const releaseMachine = await acquire(leaseNames.dial(cluster.name, claims.vmid), 1);
    try {
      const machine = await step(request, 'status', deadlines.status, 'proxmox_timeout', (phase) =>
        locateRunning(cluster, claims, phase),
      );
      const releaseNode = await acquire(leaseNames.node(cluster.name, machine.node), cluster.opensPerNode);
      try {
        return await counted(metrics.opening, cluster.name, () =>
          withDeadline({ clock, signal }, deadlines.dial, 'proxmox_timeout', (phase) =>
            openWithRetry({ ...request, signal: phase }, machine),
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
   * Retries once, because some failures are gone by the next try, which is always a whole new vncproxy: a console
   * opened outside of Porthole replaced the password; the cluster key was rotated between ticket and use; pvedaemon
   * "got no worker upid" (seen under load).
   */
  async function openWithRetry(request: DialRequest, machine: LocatedMachine): Promise<DialledConsole> {
    try {
      return await open(request, machine);
    } catch (error) {
      if (request.signal.aborted || !retryableErrors.has(asPortholeError(error).code)) throw error;
      return open(request, machine);
    }
  }

  async function open(request: DialRequest, machine: LocatedMachine): Promise<DialledConsole> {
    const { kind } = request.claims;
    const ticket = await step(request, 'console', deadlines.console, 'proxmox_timeout', (phase) =>
      requestTicket[kind](machine, phase),
    );
    const link = await step(request, 'connect', deadlines.connect, 'proxmox_timeout', (phase) =>
      openConsoleSocket(machine, ticket, phase),
    );
    try {
      const authenticateMs = deadlines.firstByte + deadlines.authenticate;
      const takeLeftover = await step(request, 'authenticate', authenticateMs, 'console_timeout', (phase) =>
        authenticate(link, ticket, phase),
      );
      return { link, takeLeftover, machine };
    } catch (error) {
      link.destroy();
      throw closedErrors.has(asPortholeError(error).code) ? await explainClose(request, error) : error;
    }
  }

  /** Proxmox closes the socket of a machine that has stopped meanwhile without sending a byte. */
  async function explainClose(request: DialRequest, error: unknown): Promise<unknown> {
    const { claims, cluster, signal } = request;
    try {
      await withDeadline({ clock, signal }, deadlines.diagnose, 'proxmox_timeout', (phase) =>
        locateRunning(cluster, claims, phase),
      );
      return error;
    } catch (found) {
      return asPortholeError(found).code === 'machine_stopped' ? found : error;
    }
  }

  function authenticate(link: Link, ticket: ConsoleTicket, signal: AbortSignal): Promise<TakeLeftover> {
    return new Promise((resolve, reject) => {
      const cancelFirstByte = clock.after(deadlines.firstByte, () =>
        reject(new PortholeError('console_timeout', { detail: `no byte within ${deadlines.firstByte} ms` })),
      );
      if (ticket.initialMessage) link.send(ticket.initialMessage);
      runHandshake(link, ticket.handshake, {
        signal,
        onFirstByte: cancelFirstByte,
        pauseAfter: ticket.pauseAfterHandshake === true,
        leftover: { maxBytes: maxLeftoverBytes, onExceeded: () => link.destroy() },
        onEnded: (receivedAnything, error) => reject(error ?? ticket.closedError(receivedAnything)),
      })
        .then(resolve, reject)
        .finally(cancelFirstByte);
    });
  }

  function step<T>(
    { signal, onStep }: DialRequest,
    name: OpeningStep,
    ms: number,
    lateCode: ErrorCode,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    onStep(name);
    return timed(name, () => withDeadline({ clock, signal }, ms, lateCode, work));
  }

  async function timed<T>(phase: OpeningStep | 'queue', work: () => Promise<T>): Promise<T> {
    const startedAt = clock.now();
    try {
      return await deps.tracing.withSpan(`console ${phase}`, {}, work);
    } finally {
      metrics.openPhase(phase, (clock.now() - startedAt) / 1000);
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

/** Errors that mean that Proxmox closed the connection. */
const closedErrors: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['console_lost', 'terminal_refused']);

const retryableErrors: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'console_auth_failed',
  'console_lost',
  'terminal_refused',
  'proxmox_invalid_response',
  'proxmox_credential',
]);
