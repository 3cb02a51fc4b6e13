import type { Clock } from '@porthole/shared/time/clock';
import type { PortholeError } from '@porthole/shared/errors';
import type { ConsoleKind, GrantClaims } from '@porthole/shared/grant/claims';
import { onAbort } from '@porthole/shared/time/on-abort';
import type { RelayMetrics } from '../metrics.ts';
import { createScreenProtocol } from '../rfb/screen-protocol.ts';
import type { ConsoleProtocol, ConsoleProtocolDeps } from '../stream/console-protocol.ts';
import type { Capture } from '../recording/capture.ts';
import type { LinkGauges } from '../stream/link-gauges.ts';
import { startPump, type Direction } from '../stream/pump.ts';
import type { TakeLeftover } from '../stream/run-handshake.ts';
import { createTerminalProtocol } from '../terminal/terminal-protocol.ts';
import type { DialledConsole } from '../upstream/dial.ts';
import type { Deadlines, InputDeadlines } from '../upstream/deadlines.ts';
import { startUpstreamHeartbeat } from '../upstream/heartbeat.ts';
import { startKeepAlive } from '../upstream/keep-alive.ts';
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
  // A session keeps what the closures below mention for as long as it lives, so they mention little.
  const { clock, count, metrics, parking, timeLimits, signal } = deps;
  const { link, way } = deps.dialled;
  const viewerLink = deps.viewer.link;
  const { promise, resolve } = Promise.withResolvers<StreamEnd>();
  const resources = new DisposableStack();
  let forwarded = 0;
  let received = 0;

  const end = (result: StreamEnd) => {
    resources.dispose();
    resolve(result);
  };
  /** Either side may end the stream while it is still being started: what is started after that is stopped at once. */
  const own = (stop: () => void) => {
    if (resources.disposed) stop();
    else resources.defer(stop);
  };
  const sendBetweenMessages = (message: Buffer): boolean => {
    if (!protocol.filter.atMessageBoundary) return false;
    link.send(message);
    return true;
  };

  const protocol = protocols[deps.claims.kind]({
    clock,
    claims: deps.claims,
    upstream: deps.dialled,
    send: sendBetweenMessages,
    gate: deps.gate,
    onHumanInput: () => timeLimits.input(),
    onPicture: deps.onPicture,
    onAnswering: deps.onAnswering,
    deadlines: deps.deadlines,
    capture: deps.capture,
  });
  const { keepAlive } = protocol;
  own(protocol.stop);
  own(deps.gate.onShut(protocol.withdrawInput));
  own(onAbort(signal, () => end({ by: 'viewer', error: signal.reason as PortholeError })));
  own(deps.linkGauges.add({ to_viewer: viewerLink, to_machine: protocol.upstream.link }));
  // A shared screen looks after its console itself. The relay that has it can be lost like Proxmox.
  if (way !== 'shared')
    own(
      startUpstreamHeartbeat({
        clock,
        link,
        received: () => received,
        onPong: (seconds) => way === 'pass_through' && metrics.ping('machine', seconds),
        onLost: (error) => end({ by: 'machine', error }),
      }),
    );
  if (way === 'pass_through')
    own(
      startKeepAlive({
        clock,
        everyMs: deps.deadlines.keepAlive,
        forwarded: () => forwarded,
        send: () => sendBetweenMessages(keepAlive),
      }),
    );
  if (resources.disposed) return promise;
  own(() => parking?.stop());
  parking?.start(() => end({ by: 'parking' }));
  if (protocol.initialMessage) link.send(protocol.initialMessage);
  const pump = startPump({
    clock,
    viewer: viewerLink,
    viewerLeftover: deps.takeViewerLeftover,
    machine: protocol.upstream.link,
    machineLeftover: protocol.upstream.takeLeftover,
    filter: protocol.filter,
    maxInputWaiting: protocol.maxInputWaiting,
    count(direction, bytes) {
      forwarded += bytes;
      if (direction === 'to_viewer') received += bytes;
      count(direction, bytes);
    },
    onStalled: metrics.stalled,
    onEnd: (by, error) => end({ by, error }),
  });
  own(() => pump.stop());
  // A terminal's link has been paused since its handshake.
  if (resources.disposed) return promise;
  link.resume();
  deps.onStreaming?.(protocol);
  return promise;
}
