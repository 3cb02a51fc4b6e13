import type { Clock } from '@porthole/shared/clock';
import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant-claims';
import type { DialledConsole } from './dial/dial.ts';
import { startPump, type Direction, type Pump } from './pump/pump.ts';
import type { TakeRest } from './pump/run-handshake.ts';
import { createClientMessageFilter } from './rfb/client-messages.ts';
import { sharedClientInit } from './rfb/handshake.ts';
import type { Viewer } from './viewer.ts';

/** Why carrying ended: the machine's side has to be asked, the viewer may have left, or it is an error of ours. */
export type CarryEnd = { readonly by: 'viewer' | 'machine'; readonly error?: PortholeError | undefined };

/** Carries an open console until one side ends, its time is over, or nobody has used it for too long. */
export function carry(deps: {
  readonly clock: Clock;
  readonly claims: GrantClaims;
  readonly viewer: Viewer;
  readonly viewerRest: TakeRest;
  readonly dialled: DialledConsole;
  readonly count: (direction: Direction, bytes: number) => void;
  readonly signal: AbortSignal;
}): Promise<CarryEnd> {
  const { clock, claims, viewer, dialled, signal } = deps;
  return new Promise((resolve) => {
    let lastInput = clock.now();
    let pump: Pump | undefined;
    const end = (result: CarryEnd) => {
      cancelTime();
      cancelIdle();
      signal.removeEventListener('abort', onAbort);
      pump?.stop();
      resolve(result);
    };
    const onAbort = () => end({ by: 'viewer', error: signal.reason as PortholeError });

    const cancelTime = clock.after(claims.limits.sessionSeconds * 1000, () =>
      end({ by: 'viewer', error: new PortholeError('time_over') }),
    );
    // One timer that is set again for what is left, instead of one that every key press moves.
    let cancelIdle = () => {};
    const watchIdle = () => {
      const left = lastInput + claims.limits.idleSeconds * 1000 - clock.now();
      if (left <= 0) end({ by: 'viewer', error: new PortholeError('idle') });
      else cancelIdle = clock.after(left, watchIdle);
    };
    watchIdle();
    signal.addEventListener('abort', onAbort, { once: true });

    dialled.link.send(sharedClientInit);
    pump = startPump({
      clock,
      viewer: viewer.link,
      viewerRest: deps.viewerRest,
      machine: dialled.link,
      machineRest: dialled.takeRest,
      filter: createClientMessageFilter({
        viewOnly: claims.mode === 'view',
        onHumanInput: () => (lastInput = clock.now()),
      }),
      count: deps.count,
      onEnd: (by, error) => end({ by, error }),
    });
  });
}
