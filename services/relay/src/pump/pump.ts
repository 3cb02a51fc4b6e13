import type { Clock } from '@porthole/shared/clock';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { ClientMessageFilter } from '../rfb/client-messages.ts';
import type { Link, LinkHandler } from './link.ts';
import type { TakeRest } from './run-handshake.ts';

export interface PumpDeps {
  readonly clock: Clock;
  readonly viewer: Link;
  readonly machine: Link;
  /** What arrived behind the handshakes and belongs to the stream. */
  readonly viewerRest: TakeRest;
  readonly machineRest: TakeRest;
  readonly filter: Pick<ClientMessageFilter, 'push'>;
  /** Counts payload bytes as they are passed on, or soon after. */
  readonly count: (direction: Direction, bytes: number) => void;
  /** One side is no longer read, because the other one does not keep up. */
  readonly stalled?: (direction: Direction) => void;
  /** Called once, with why the pump ended; undefined when the viewer left by itself. */
  readonly onEnd: (side: 'viewer' | 'machine', error?: PortholeError) => void;
  readonly limits?: PumpLimits;
}

export interface Pump {
  /** Ends it without a word: nothing is counted or watched any more. */
  stop(): void;
}

export type Direction = 'to_viewer' | 'to_machine';

export interface PumpLimits {
  /** Waiting bytes at which the other side is no longer read, and at which it is again. */
  readonly pauseBytes: number;
  readonly resumeBytes: number;
  /** Milliseconds that a side may stay above `resumeBytes` before the session ends. */
  readonly stuckMs: number;
}

const defaultLimits: PumpLimits = { pauseBytes: 1024 * 1024, resumeBytes: 256 * 1024, stuckMs: 30_000 };

/** Small updates are counted together: to count is work for several modules. */
const countEveryBytes = 16 * 1024;

/** Carries a console in both directions until one side ends. Takes over both links. */
export function startPump(deps: PumpDeps): Pump {
  const limits = deps.limits ?? defaultLimits;
  let over = false;
  const stop = () => {
    if (over) return;
    over = true;
    toViewer.stop();
    toMachine.stop();
    count();
  };
  const end: PumpDeps['onEnd'] = (side, error) => {
    if (over) return;
    stop();
    deps.onEnd(side, error);
  };
  const toViewer = createGate(deps.clock, limits, deps.machine, deps.viewer, {
    stalled: () => deps.stalled?.('to_viewer'),
    stuck: () => end('viewer', new PortholeError('viewer_stuck')),
  });
  const toMachine = createGate(deps.clock, limits, deps.viewer, deps.machine, {
    stalled: () => deps.stalled?.('to_machine'),
    stuck: () =>
      end('machine', new PortholeError('console_silent', { detail: 'the machine takes no input' })),
  });

  const { viewer } = deps;
  let uncounted = 0;
  const count = () => {
    const bytes = uncounted;
    uncounted = 0;
    deps.count('to_viewer', bytes);
  };

  const fromMachine: LinkHandler = {
    bytes(source, start, stop) {
      if (over) return;
      uncounted += stop - start;
      if (uncounted >= countEveryBytes) count();
      if (!viewer.send(source, start, stop)) toViewer.check();
    },
    drained: toMachine.check,
    ended: (error) => end('machine', error),
  };
  const fromViewer: LinkHandler = {
    bytes(source, start, stop) {
      if (over) return;
      try {
        const passed = Buffer.concat(deps.filter.push(source.subarray(start, stop)));
        if (passed.length === 0) return;
        deps.count('to_machine', passed.length);
        deps.machine.send(passed);
        toMachine.check();
      } catch (error) {
        end('viewer', asPortholeError(error));
      }
    },
    drained: toViewer.check,
    ended: (error) => end('viewer', error),
  };
  takeOver(deps.machine, fromMachine, deps.machineRest);
  takeOver(deps.viewer, fromViewer, deps.viewerRest);
  return { stop };
}

function takeOver(link: Link, handler: LinkHandler, takeRest: TakeRest): void {
  const rest = takeRest();
  if (rest.length > 0) handler.bytes(rest, 0, rest.length);
  link.handle(handler);
}

/** Pauses the source while the sink has too much to send, and gives up when that lasts. */
function createGate(
  clock: Clock,
  limits: PumpLimits,
  source: Link,
  sink: Link,
  on: { readonly stalled: () => void; readonly stuck: () => void },
) {
  let cancelStuck: (() => void) | undefined;
  let stopped = false;
  return {
    check() {
      if (stopped) return;
      if (!cancelStuck && sink.buffered > limits.pauseBytes) {
        source.pause();
        cancelStuck = clock.after(limits.stuckMs, on.stuck);
        on.stalled();
      } else if (cancelStuck && sink.buffered <= limits.resumeBytes) {
        cancelStuck();
        cancelStuck = undefined;
        source.resume();
      }
    },
    stop() {
      stopped = true;
      cancelStuck?.();
    },
  };
}
