import { PortholeError } from '@porthole/shared/errors';
import type { ConsoleKind, GrantClaims } from '@porthole/shared/grant/claims';
import type { Clock } from '@porthole/shared/time/clock';
import { rfbVersion } from '../rfb/handshake-constants.ts';
import { createViewerHandshake } from '../rfb/viewer-handshake.ts';
import { runHandshake, type TakeLeftover } from '../stream/run-handshake.ts';
import { bufferInput, maxViewerLeftoverBytes } from '../terminal/buffer-input.ts';
import type { Dial, DialledConsole } from '../upstream/dial.ts';
import type { RelayCluster } from '../upstream/machine.ts';
import type { Viewer } from '../viewer/viewer.ts';
import { ViewerLeft, type SessionLifecycle } from './lifecycle.ts';
import { withDeadline } from '@porthole/shared/time/with-deadline';

/** A console that is open on both sides. */
export interface OpenConsole {
  readonly dialled: DialledConsole;
  /** What the viewer sent behind its handshake. */
  readonly takeViewerLeftover: TakeLeftover;
}

export interface OpenConsoleDeps {
  readonly clock: Clock;
  readonly dial: Dial;
  readonly viewerHandshakeMs: number;
}

/**
 * Opens the console at Proxmox while the viewer's handshake goes on, and tells the viewer about the progress. The
 * session owns the connection to Proxmox from then on. Rejects with what ended the attempt.
 */
export async function openConsole(
  deps: OpenConsoleDeps,
  {
    connection,
    claims,
    cluster,
    viewer,
    lifecycle,
  }: {
    /** Tells this connection from others of the same session. */
    readonly connection: string;
    readonly claims: GrantClaims;
    readonly cluster: RelayCluster;
    readonly viewer: Viewer;
    readonly lifecycle: SessionLifecycle;
  },
): Promise<OpenConsole> {
  const { clock } = deps;
  const { signal } = lifecycle;
  const negotiated = negotiateWithViewer(viewer, claims.kind, signal, (reason) => lifecycle.end(reason));
  const dialling = deps.dial({
    holder: connection,
    claims,
    cluster,
    signal,
    onProgress(progress) {
      lifecycle.enter('queued');
      viewer.sendControl({ type: 'queued', ...progress });
    },
    onStep(step) {
      lifecycle.enter('opening');
      viewer.sendControl({ type: 'opening', step });
    },
    onNotice: (notice) => viewer.sendControl(notice),
  });
  const dialled = await lifecycle.acquire(dialling, releaseConsole);
  const takeViewerLeftover = await withDeadline(
    { clock, signal },
    deps.viewerHandshakeMs,
    'viewer_protocol',
    () => negotiated,
  );
  return { dialled, takeViewerLeftover };
}

/** A function of its own, so that an open console retains nothing of its opening. */
function releaseConsole(console: DialledConsole): void {
  console.release();
}

/**
 * Runs the viewer's side of the RFB handshake; a terminal has none. Resolves with what the viewer sent behind it.
 * `onEnded` is told when the viewer leaves or breaks the protocol, until the next handler takes over the link.
 */
function negotiateWithViewer(
  viewer: Viewer,
  kind: ConsoleKind,
  signal: AbortSignal,
  onEnded: (reason: unknown) => void,
): Promise<TakeLeftover> {
  const ended = (error?: PortholeError) => onEnded(error ?? new ViewerLeft());
  if (kind === 'terminal') return Promise.resolve(bufferInput(viewer.link, ended));
  const handshake = runHandshake(viewer.link, createViewerHandshake(), {
    signal,
    leftover: {
      maxBytes: maxViewerLeftoverBytes,
      onExceeded: () =>
        ended(new PortholeError('viewer_message_too_big', { detail: 'too much input too early' })),
    },
    onEnded: (_, error) => ended(error),
  });
  handshake.catch(onEnded);
  viewer.link.send(rfbVersion);
  return handshake;
}
