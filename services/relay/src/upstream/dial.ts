import type { Clock } from '@porthole/shared/time/clock';
import type { ControlMessage, OpeningStep } from '@porthole/shared/protocol/control-messages';
import { asPortholeError, PortholeError, type ErrorCode } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { leaseNames } from '@porthole/shared/store/keys';
import type { Tracing } from '@porthole/shared/telemetry/tracing';
import { onAbort } from '@porthole/shared/time/on-abort';
import { withDeadline } from '@porthole/shared/time/with-deadline';
import type { RelayMetrics } from '../metrics.ts';
import type { Link } from '../stream/link.ts';
import { runHandshake, type TakeLeftover } from '../stream/run-handshake.ts';
import { openConsoleSocket } from './console-socket.ts';
import type { ConsoleWay } from './console-way.ts';
import type { Deadlines } from './deadlines.ts';
import { diagnoseOpening } from './diagnose-opening.ts';
import type { LeaseQueue, LeaseRequest, QueueProgress, ReleaseLease } from './lease-queue.ts';
import { locateRunning, type LocatedMachine, type RelayCluster } from './machine.ts';
import type { MachineLink } from './proxmox-link.ts';
import { requestTicket, type ConsoleTicket } from './ticket.ts';

/** Most bytes that Proxmox may send behind its handshake. A few reads deliver less. */
const maxLeftoverBytes = 256 * 1024;

type ScreenNotice = Extract<ControlMessage, { readonly type: 'screen' }>;

export interface DialRequest {
  /** Holds the leases: the connection, because two connections of one session may dial at the same time. */
  readonly holder: string;
  readonly claims: GrantClaims;
  readonly cluster: RelayCluster;
  readonly signal: AbortSignal;
  /** Called with the progress in a queue. */
  readonly onProgress: (progress: QueueProgress) => void;
  /** Called when a step begins. */
  readonly onStep: (step: OpeningStep) => void;
  /** Called with the state of a shared screen. */
  readonly onNotice?: (notice: ScreenNotice) => void;
  /** No console is opened at Proxmox before this resolves. */
  readonly mayOpen?: Promise<void>;
}

/** A console that has authenticated the relay: a VNC server that expects ClientInit, or an open terminal. */
export interface DialledConsole {
  readonly link: MachineLink;
  readonly takeLeftover: TakeLeftover;
  readonly machine: Pick<LocatedMachine, 'cluster' | 'node'>;
  readonly way: ConsoleWay;
  /** Gives the console back, which ends it unless others use it. Idempotent. */
  release(): void;
  /** Takes the session that streams the console. From then on, a shared screen may take over the console. */
  onStreaming?(session: StreamingSession): void;
}

/** A session that streams a console, as a shared screen sees it that wants the console. */
export interface StreamingSession {
  /** Whether the machine waits for the start of a message, and the viewer would resume: now, maybe later, or never. */
  handsOver(): 'now' | 'later' | 'never';
  /** Ends the session. Synchronous: nothing of the session uses the link afterwards. */
  end(error: PortholeError): void;
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
 * Opens consoles at Proxmox: queue for the machine, status, queue for the node, vncproxy or termproxy, WebSocket,
 * authentication.
 *
 * There is one dial at a time per machine, because each replaces the machine's only VNC password, and a few at a time
 * per node, because pvedaemon has three workers. Both leases are held until authentication is over.
 */
export function createDial(deps: DialDeps): Dial {
  const dialer = new Dialer(deps);
  return (request) => dialer.dial(request);
}

class Dialer {
  readonly #deps: DialDeps;

  constructor(deps: DialDeps) {
    this.#deps = deps;
  }

  async dial(request: DialRequest): Promise<DialledConsole> {
    const { clock, deadlines, metrics } = this.#deps;
    const { claims, cluster, signal } = request;
    let served = false;
    const releaseMachine = await this.#acquire(request, {
      name: leaseNames.dial(cluster.name, claims.vmid),
      limit: 1,
      nextQueue: leaseNames.node(cluster.name, claims.node),
    });
    try {
      const machine = await this.#runStep(request, 'status', (stepSignal) =>
        locateRunning(cluster, claims, stepSignal),
      );
      await request.mayOpen;
      signal.throwIfAborted();
      const releaseNode = await this.#acquire(request, {
        name: leaseNames.node(cluster.name, machine.node),
        limit: cluster.opensPerNode,
      });
      try {
        const dialled = await countWhile(metrics.opening, cluster.name, () =>
          withDeadline({ clock, signal }, deadlines.dial, 'proxmox_timeout', (dialSignal) =>
            this.#openWithRetry({ ...request, signal: dialSignal }, machine),
          ),
        );
        served = true;
        return dialled;
      } finally {
        await releaseNode(served);
      }
    } finally {
      await releaseMachine(served);
    }
  }

  /** Waits for a lease. Resolves with the function that releases it. */
  #acquire(
    request: DialRequest,
    lease: Pick<LeaseRequest, 'name' | 'limit' | 'nextQueue'>,
  ): Promise<ReleaseLease> {
    const { queue, metrics } = this.#deps;
    const { cluster, holder, onProgress, signal } = request;
    return countWhile(metrics.queued, cluster.name, () =>
      this.#measure('queue', () => queue.acquireInQueue({ ...lease, holder, onProgress, signal })),
    );
  }

  /**
   * Retries once with a new ticket, because some failures are temporary: a console opened outside of Porthole replaced
   * the password, the cluster's key was rotated, or pvedaemon "got no worker upid" (happens under load).
   */
  async #openWithRetry(request: DialRequest, machine: LocatedMachine): Promise<DialledConsole> {
    try {
      return await this.#open(request, machine);
    } catch (error) {
      if (request.signal.aborted || !retryableErrors.has(asPortholeError(error).code)) throw error;
      return this.#open(request, machine);
    }
  }

  async #open(request: DialRequest, machine: LocatedMachine): Promise<DialledConsole> {
    const { kind } = request.claims;
    const ticket = await this.#runStep(request, 'console', (signal) => requestTicket[kind](machine, signal));
    const link = await this.#runStep(request, 'connect', (signal) =>
      openConsoleSocket(machine, ticket, signal),
    );
    // If the dial is aborted before its caller has the link, no caller destroys it.
    onAbort(request.signal, () => link.destroy());
    try {
      const takeLeftover = await this.#runStep(request, 'authenticate', (signal) =>
        this.#authenticate(link, ticket, signal),
      );
      return passThrough(link, takeLeftover, machine);
    } catch (error) {
      link.destroy();
      throw unexplainedErrors.has(asPortholeError(error).code) ? await this.#explain(request, error) : error;
    }
  }

  async #authenticate(link: Link, ticket: ConsoleTicket, signal: AbortSignal): Promise<TakeLeftover> {
    const { clock, deadlines } = this.#deps;
    const { promise: failed, reject: fail } = Promise.withResolvers<never>();
    const cancelFirstByte = clock.after(deadlines.firstByte, () =>
      fail(new PortholeError('console_timeout', { detail: `no byte within ${deadlines.firstByte} ms` })),
    );
    if (ticket.initialMessage) link.send(ticket.initialMessage);
    const handshake = runHandshake(link, ticket.handshake, {
      signal,
      onFirstByte: cancelFirstByte,
      pauseAfter: ticket.pauseAfterHandshake === true,
      leftover: { maxBytes: maxLeftoverBytes, onExceeded: () => link.destroy() },
      onEnded: (receivedAnything, error) => fail(error ?? ticket.closedError(receivedAnything)),
    });
    try {
      return await Promise.race([handshake, failed]);
    } finally {
      cancelFirstByte();
    }
  }

  /** Returns the cause of the error, or the error itself if the cause is not found. */
  async #explain({ claims, cluster, signal }: DialRequest, error: unknown): Promise<unknown> {
    const { clock, deadlines } = this.#deps;
    try {
      // As long as a status may take: Proxmox waits for a QEMU that hangs before it answers.
      const cause = await withDeadline({ clock, signal }, deadlines.status, 'proxmox_timeout', (phase) =>
        diagnoseOpening(cluster, claims, phase),
      );
      return cause ?? error;
    } catch {
      return error;
    }
  }

  /** Runs a step of the dial with its deadline, and reports and measures it. */
  #runStep<T>(
    { signal, onStep }: DialRequest,
    name: OpeningStep,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { clock, deadlines } = this.#deps;
    const [ms, timeoutCode] = stepDeadlines(deadlines)[name];
    onStep(name);
    return this.#measure(name, () => withDeadline({ clock, signal }, ms, timeoutCode, work));
  }

  async #measure<T>(phase: OpeningStep | 'queue', work: () => Promise<T>): Promise<T> {
    const { clock, tracing, metrics } = this.#deps;
    const startedAt = clock.now();
    try {
      return await tracing.withSpan(`console ${phase}`, {}, work);
    } finally {
      metrics.openPhase(phase, (clock.now() - startedAt) / 1000);
    }
  }
}

/** A function of its own, so that an open console retains nothing of its dial. */
function passThrough(
  link: MachineLink,
  takeLeftover: TakeLeftover,
  { cluster, node }: LocatedMachine,
): DialledConsole {
  return {
    link,
    takeLeftover,
    machine: { cluster, node },
    way: 'pass_through',
    release: () => link.destroy(),
  };
}

/** How long each step may take in milliseconds, and the error if it takes longer. */
function stepDeadlines(deadlines: Deadlines): Readonly<Record<OpeningStep, readonly [number, ErrorCode]>> {
  return {
    status: [deadlines.status, 'proxmox_timeout'],
    console: [deadlines.console, 'proxmox_timeout'],
    connect: [deadlines.connect, 'proxmox_timeout'],
    authenticate: [deadlines.firstByte + deadlines.authenticate, 'console_timeout'],
  };
}

/** Counts 1 for the cluster while `work` runs. */
async function countWhile<T>(
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

/** Errors that do not say why: Proxmox closed the connection or sent nothing. */
const unexplainedErrors: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'console_lost',
  'console_timeout',
  'terminal_refused',
]);

const retryableErrors: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'console_auth_failed',
  'console_lost',
  'terminal_refused',
  'proxmox_invalid_response',
  'proxmox_credential',
]);
