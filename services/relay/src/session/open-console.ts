import type { Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import type { ConsoleKind } from '@porthole/shared/grant/claims';
import type { DialledConsole, DialRequest } from '../upstream/dial.ts';
import { waitAtMost } from '../upstream/lease-queue.ts';
import { runHandshake, type TakeRest } from '../stream/run-handshake.ts';
import { rfbVersion } from '../rfb/handshake.ts';
import { createViewerHandshake } from '../rfb/viewer-handshake.ts';
import { holdEarly, maxEarlyBytes } from '../terminal/leftover-bytes.ts';
import type { Viewer } from '../viewer/viewer.ts';

/** The viewer left by itself: nobody is there to be told anything. */
export class ViewerLeft extends Error {}

/**
 * The viewer's handshake goes on while Proxmox opens the console; a terminal has none. `broken` is told when nothing
 * will come of it.
 */
export function greet(
  viewer: Viewer,
  kind: ConsoleKind,
  signal: AbortSignal,
  broken: (error: unknown) => void,
): Promise<TakeRest> {
  if (kind === 'terminal')
    return Promise.resolve(holdEarly(viewer.link, (error) => broken(error ?? new ViewerLeft())));
  const handshake = runHandshake(viewer.link, createViewerHandshake(), {
    signal,
    rest: {
      maxBytes: maxEarlyBytes,
      exceeded: () =>
        broken(new PortholeError('viewer_message_too_big', { detail: 'too much before the screen' })),
    },
    ended: (_, error) => broken(error ?? new ViewerLeft()),
  });
  handshake.catch(broken);
  viewer.link.send(rfbVersion);
  return handshake;
}

/** Opens the console at Proxmox and tells the viewer how that goes. */
export async function dialInLine(
  deps: {
    readonly clock: Clock;
    readonly queueSeconds: number;
    readonly dial: (request: DialRequest) => Promise<DialledConsole>;
  },
  request: Pick<DialRequest, 'claims' | 'cluster' | 'signal'> & { readonly viewer: Viewer },
): Promise<DialledConsole> {
  const { viewer, signal } = request;
  // Only the wait in line is limited here: every phase after it has a deadline of its own.
  const wait = waitAtMost(deps.clock, deps.queueSeconds, signal);
  try {
    return await deps.dial({
      claims: request.claims,
      cluster: request.cluster,
      signal: wait.signal,
      onPosition: (position) => viewer.tell({ type: 'queued', position }),
      onStep(step) {
        if (step === 'console') wait.done();
        viewer.tell({ type: 'opening', step });
      },
    });
  } finally {
    wait.done();
    wait.letGo();
  }
}
