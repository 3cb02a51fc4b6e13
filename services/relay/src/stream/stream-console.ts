import type { Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { DialledConsole } from '../upstream/dial.ts';
import { startKeepAlive } from '../upstream/keep-alive.ts';
import { speak } from './console-protocol.ts';
import { startMachinePulse } from '../upstream/heartbeat.ts';
import type { RelayMetrics } from '../metrics.ts';
import { startPump, type Direction, type Pump } from './pump.ts';
import type { TakeRest } from './run-handshake.ts';
import type { SessionTime } from '../session/time-limits.ts';
import type { Traffic } from './link-gauges.ts';
import type { Viewer } from '../viewer/viewer.ts';

/** Why carrying ended: the machine's side has to be asked, the viewer may have left, or it is an error of ours. */
export type CarryEnd = { readonly by: 'viewer' | 'machine'; readonly error?: PortholeError | undefined };

/** Carries an open console until one side ends, or until its time is over. */
export function carry(deps: {
  readonly clock: Clock;
  readonly claims: GrantClaims;
  readonly viewer: Viewer;
  readonly viewerRest: TakeRest;
  readonly dialled: DialledConsole;
  readonly count: (direction: Direction, bytes: number) => void;
  readonly metrics: Pick<RelayMetrics, 'ping' | 'stalled'>;
  readonly traffic: Pick<Traffic, 'add'>;
  /** The machine's first pixels have arrived. */
  readonly onPicture: () => void;
  /** How often to look whether the console needs to be kept alive, in milliseconds. */
  readonly keepAliveMs: number;
  readonly time: Pick<SessionTime, 'start' | 'input'>;
  readonly signal: AbortSignal;
}): Promise<CarryEnd> {
  // What the functions below mention is kept for as long as the console lives, so they mention little.
  const { clock, count, metrics, time, signal } = deps;
  const { link } = deps.dialled;
  const { promise, resolve } = Promise.withResolvers<CarryEnd>();
  let cancelTime = () => {};
  let carried = 0;
  let heard = 0;
  let pump: Pump | undefined;
  const end = (result: CarryEnd) => {
    cancelTime();
    cancelKeepAlive();
    cancelPulse();
    notCarried();
    language.stop();
    signal.removeEventListener('abort', onAbort);
    pump?.stop();
    resolve(result);
  };
  const onAbort = () => end({ by: 'viewer', error: signal.reason as PortholeError });

  signal.addEventListener('abort', onAbort, { once: true });

  const sendBetween = (message: Buffer): boolean => {
    if (!language.filter.atBorder) return false;
    link.send(message);
    return true;
  };
  const language = speak({
    clock,
    claims: deps.claims,
    dialled: deps.dialled,
    send: sendBetween,
    onHumanInput: time.input,
    onPicture: deps.onPicture,
  });
  const { filter, machine, keepAlive } = language;
  const cancelPulse = startMachinePulse({
    clock,
    link,
    heard: () => heard,
    answered: (seconds) => metrics.ping('machine', seconds),
    gone: (error) => end({ by: 'machine', error }),
  });
  const notCarried = deps.traffic.add({ to_viewer: deps.viewer.link, to_machine: link });
  const cancelKeepAlive = startKeepAlive({
    clock,
    everyMs: deps.keepAliveMs,
    carried: () => carried,
    send: () => sendBetween(keepAlive),
  });
  if (language.hello) link.send(language.hello);
  pump = startPump({
    clock,
    viewer: deps.viewer.link,
    viewerRest: deps.viewerRest,
    machine: machine.link,
    machineRest: machine.takeRest,
    filter,
    count(direction, bytes) {
      carried += bytes;
      if (direction === 'to_viewer') heard += bytes;
      count(direction, bytes);
    },
    stalled: metrics.stalled,
    onEnd: (by, error) => end({ by, error }),
  });
  // A terminal was paused since it was dialled.
  link.resume();
  cancelTime = time.start((error) => end({ by: 'viewer', error }));
  return promise;
}
