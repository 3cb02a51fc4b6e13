import type { Clock } from '@porthole/shared/time/clock';
import type { PortholeError } from '@porthole/shared/errors';
import type { ConsoleKind, GrantClaims } from '@porthole/shared/grant/claims';
import { onAbort } from '@porthole/shared/time/on-abort';
import type { RelayMetrics } from '../metrics.ts';
import { createScreenProtocol } from '../rfb/screen-protocol.ts';
import type { ConsoleProtocol, ConsoleProtocolDeps } from '../stream/console-protocol.ts';
import type { Capture } from '../recording/capture.ts';
import type { LinkGauges } from '../stream/link-gauges.ts';
import { startPump, type Direction, type PumpListener } from '../stream/pump.ts';
import type { TakeLeftover } from '../stream/run-handshake.ts';
import { createTerminalProtocol } from '../terminal/terminal-protocol.ts';
import type { ConsoleWay } from '../upstream/console-way.ts';
import type { DialledConsole } from '../upstream/dial.ts';
import type { MachineLink } from '../upstream/proxmox-link.ts';
import type { Deadlines, InputDeadlines } from '../upstream/deadlines.ts';
import { startUpstreamHeartbeat, type PingedConsole } from '../upstream/heartbeat.ts';
import { startKeepAlive, type IdleConsole } from '../upstream/keep-alive.ts';
import type { Viewer } from '../viewer/viewer.ts';
import type { Parking } from './parking.ts';
import type { InputGate } from './input-gate.ts';
import type { TimeLimits } from './time-limits.ts';

/**
 * What ended the stream: one side, or parking. Without an error, the viewer left, or Proxmox closed the connection.
 * Both connections stay.
 */
export type StreamEnd =
  | { readonly by: 'viewer' | 'machine'; readonly error?: PortholeError | undefined }
  | { readonly by: 'parking' };

const protocols: Readonly<Record<ConsoleKind, (deps: ConsoleProtocolDeps) => ConsoleProtocol>> = {
  screen: createScreenProtocol,
  terminal: createTerminalProtocol,
};

export interface StreamConsoleDeps {
  readonly clock: Clock;
  readonly claims: GrantClaims;
  readonly viewer: Viewer;
  readonly takeViewerLeftover: TakeLeftover;
  readonly dialled: DialledConsole;
  readonly count: (direction: Direction, bytes: number) => void;
  readonly metrics: Pick<RelayMetrics, 'ping' | 'stalled'>;
  readonly linkGauges: Pick<LinkGauges, 'add'>;
  /** The machine's first pixels have arrived. */
  readonly onPicture: () => void;
  /** A terminal does not answer input (false), or answers again (true). */
  readonly onAnswering: (answers: boolean) => void;
  readonly deadlines: InputDeadlines & Pick<Deadlines, 'keepAlive'>;
  readonly timeLimits: Pick<TimeLimits, 'input'>;
  /** Missing if the console is never parked. */
  readonly parking?: Pick<Parking, 'start' | 'stop'> | undefined;
  /** Called once, when bytes are forwarded from now on. */
  readonly onStreaming?: ((protocol: Pick<ConsoleProtocol, 'filter' | 'withdrawInput'>) => void) | undefined;
  readonly gate: InputGate;
  /** Undefined if the console is not recorded. */
  readonly capture?: Capture | undefined;
  readonly signal: AbortSignal;
}

/** Streams an open console until one side ends, it is parked, or the signal is aborted. */
export function streamConsole(deps: StreamConsoleDeps): Promise<StreamEnd> {
  const stream = new ConsoleStream(deps);
  stream.start(deps);
  return stream.ended;
}

/** A class because a relay has thousands. Retains only what it needs until the stream ends. */
class ConsoleStream implements PumpListener, PingedConsole, IdleConsole {
  readonly ended: Promise<StreamEnd>;
  readonly link: MachineLink;
  readonly #way: ConsoleWay;
  readonly #metrics: StreamConsoleDeps['metrics'];
  readonly #count: StreamConsoleDeps['count'];
  readonly #protocol: ConsoleProtocol;
  readonly #resources = new DisposableStack();
  readonly #resolve: (end: StreamEnd) => void;
  forwarded = 0;
  received = 0;

  constructor(deps: StreamConsoleDeps) {
    const { timeLimits } = deps;
    const { promise, resolve } = Promise.withResolvers<StreamEnd>();
    this.ended = promise;
    this.#resolve = resolve;
    this.link = deps.dialled.link;
    this.#way = deps.dialled.way;
    this.#metrics = deps.metrics;
    this.#count = deps.count;
    this.#protocol = protocols[deps.claims.kind]({
      clock: deps.clock,
      claims: deps.claims,
      upstream: deps.dialled,
      send: (message) => this.#sendBetweenMessages(message),
      gate: deps.gate,
      onHumanInput: () => timeLimits.input(),
      onPicture: deps.onPicture,
      onAnswering: deps.onAnswering,
      deadlines: deps.deadlines,
      capture: deps.capture,
    });
  }

  start(deps: StreamConsoleDeps): void {
    const { clock, dialled, gate, parking, signal } = deps;
    const { upstream, filter, initialMessage, maxInputWaiting } = this.#protocol;
    const viewer = deps.viewer.link;
    this.#own(() => this.#protocol.stop());
    this.#own(gate.onShut(() => this.#protocol.withdrawInput()));
    this.#own(onAbort(signal, (reason) => this.#end({ by: 'viewer', error: reason as PortholeError })));
    this.#own(deps.linkGauges.add({ to_viewer: viewer, to_machine: upstream.link }));
    // A shared screen looks after its console itself. The relay that has it can be lost like Proxmox.
    if (this.#way !== 'shared') this.#own(startUpstreamHeartbeat(clock, this));
    if (this.#way === 'pass_through')
      this.#own(startKeepAlive({ clock, everyMs: deps.deadlines.keepAlive }, this));
    if (this.#resources.disposed) return;
    if (parking) this.#own(() => parking.stop());
    parking?.start(() => this.#end({ by: 'parking' }));
    if (initialMessage) this.link.send(initialMessage);
    const pump = startPump(
      {
        clock,
        viewer,
        viewerLeftover: deps.takeViewerLeftover,
        machine: upstream.link,
        machineLeftover: upstream.takeLeftover,
        filter,
        maxInputWaiting,
      },
      this,
    );
    this.#own(() => pump.stop());
    // A terminal's link has been paused since its handshake.
    if (this.#resources.disposed) return;
    dialled.link.resume();
    deps.onStreaming?.(this.#protocol);
  }

  count(direction: Direction, bytes: number): void {
    this.forwarded += bytes;
    if (direction === 'to_viewer') this.received += bytes;
    this.#count(direction, bytes);
  }

  onEnd(by: 'viewer' | 'machine', error?: PortholeError): void {
    this.#end({ by, error });
  }

  onStalled(direction: Direction): void {
    this.#metrics.stalled(direction);
  }

  onPong(seconds: number): void {
    if (this.#way === 'pass_through') this.#metrics.ping('machine', seconds);
  }

  onLost(error: PortholeError): void {
    this.#end({ by: 'machine', error });
  }

  sendKeepAlive(): void {
    this.#sendBetweenMessages(this.#protocol.keepAlive);
  }

  #sendBetweenMessages(message: Buffer): boolean {
    if (!this.#protocol.filter.atMessageBoundary) return false;
    this.link.send(message);
    return true;
  }

  #end(end: StreamEnd): void {
    this.#resources.dispose();
    this.#resolve(end);
  }

  /** Either side may end the stream while it is still being started: what is started after that is stopped at once. */
  #own(stop: () => void): void {
    if (this.#resources.disposed) stop();
    else this.#resources.defer(stop);
  }
}
