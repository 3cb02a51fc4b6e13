import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { EndSignal } from '@porthole/shared/console-signals';
import type { GrantClaims } from '@porthole/shared/grant-claims';
import type { Clock } from '@porthole/shared/clock';
import type { Log } from '@porthole/shared/log';
import type { LeaseStore } from '@porthole/shared/store/ports';
import { admit, type AdmitDeps, type Presented } from './admit.ts';
import { carry, type CarryEnd } from './carry.ts';
import { withDeadline } from './dial/deadline.ts';
import type { DialledConsole, DialRequest } from './dial/dial.ts';
import { waitAtMost } from './dial/lease-line.ts';
import { diagnoseEnd, type RelayCluster } from './dial/machine.ts';
import type { Deadlines } from './deadlines.ts';
import type { RelayMetrics } from './metrics.ts';
import { runHandshake, type TakeRest } from './pump/run-handshake.ts';
import { takeQuota } from './quota.ts';
import { rfbVersion } from './rfb/handshake.ts';
import { createViewerHandshake } from './rfb/viewer-handshake.ts';
import type { Viewer } from './viewer.ts';

export interface SessionDeps extends AdmitDeps {
  readonly clock: Clock;
  readonly leases: LeaseStore;
  readonly log: Log;
  readonly metrics: RelayMetrics;
  readonly deadlines: Deadlines;
  readonly queueSeconds: number;
  readonly clusters: ReadonlyMap<string, RelayCluster>;
  readonly dial: (request: DialRequest) => Promise<DialledConsole>;
}

export interface ConsoleSession {
  /** Resolves when everything of the session is gone. Never rejects. */
  readonly done: Promise<void>;
  /** Ends it with this error's close code, in whatever phase it is. */
  end(error: PortholeError): void;
  matches(target: EndSignal['target']): boolean;
}

/** The viewer left by itself: nobody is there to be told anything. */
class ViewerLeft extends Error {}

/** One console from the WebSocket to its end: admit, dial, carry, and say why it is over. */
export function startConsoleSession(deps: SessionDeps, viewer: Viewer, presented: Presented): ConsoleSession {
  const { clock, metrics } = deps;
  const ending = new AbortController();
  const signal = ending.signal;
  const cleanups: (() => Promise<void> | void)[] = [];
  const carried = { to_viewer: 0, to_machine: 0 };
  let claims: GrantClaims | undefined;
  let openedAt: number | undefined;
  const since = clock.now();

  /** The way through all phases; whatever ends it early is thrown. */
  async function run(): Promise<CarryEnd> {
    claims = await admit(deps, presented);
    cleanups.push(await takeQuota(deps, claims));
    signal.throwIfAborted();
    const cluster = deps.clusters.get(claims.cluster);
    if (!cluster) throw new PortholeError('machine_not_found', { detail: `no cluster ${claims.cluster}` });

    const greeted = greet();
    const dialled = await dial(claims, cluster);
    cleanups.push(() => dialled.link.destroy());
    const viewerRest = await withDeadline(
      { clock, signal },
      deps.deadlines.viewerHandshake,
      'viewer_protocol',
      () => greeted,
    );

    openedAt = clock.now();
    metrics.opened('ok');
    metrics.phase('total', (openedAt - since) / 1000);
    metrics.sessionStarted(claims.mode, claims.kind);
    deps.log.info(
      { ...who(), node: dialled.machine.node, seconds: (openedAt - since) / 1000 },
      'console opened',
    );
    viewer.tell({ type: 'opened', mode: claims.mode });

    const count = (direction: 'to_viewer' | 'to_machine', bytes: number) => {
      carried[direction] += bytes;
      metrics.bytes(direction, bytes);
    };
    const end = await carry({ clock, claims, viewer, viewerRest, dialled, count, signal });
    if (end.by === 'viewer' || end.error) return end;
    const moved = { ...claims, node: dialled.machine.node };
    const error = await withDeadline({ clock, signal }, deps.deadlines.diagnose, 'console_lost', (phase) =>
      diagnoseEnd(cluster, moved, phase),
    );
    return { by: 'machine', error };
  }

  /** The viewer's handshake goes on while Proxmox opens the console. */
  function greet(): Promise<TakeRest> {
    const handshake = runHandshake(viewer.link, createViewerHandshake(), {
      signal,
      ended: (_, error) => ending.abort(error ?? new ViewerLeft()),
    });
    handshake.catch((error: unknown) => ending.abort(error));
    viewer.link.send(rfbVersion);
    return handshake;
  }

  async function dial(granted: GrantClaims, cluster: RelayCluster): Promise<DialledConsole> {
    // Only the wait in line is limited here: every phase after it has a deadline of its own.
    const wait = waitAtMost(clock, deps.queueSeconds, signal);
    try {
      return await deps.dial({
        claims: granted,
        cluster,
        signal: wait.signal,
        onPosition: (position) => viewer.tell({ type: 'queued', position }),
        onStep(step) {
          if (step === 'console') wait.done();
          viewer.tell({ type: 'opening', step });
        },
      });
    } finally {
      wait.done();
    }
  }

  function who() {
    return claims
      ? {
          session: claims.sessionId,
          user: claims.user.id,
          cluster: claims.cluster,
          vmid: claims.vmid,
          mode: claims.mode,
        }
      : {};
  }

  async function live(): Promise<void> {
    const end = await run().catch((thrown: unknown): CarryEnd =>
      thrown instanceof ViewerLeft ? { by: 'viewer' } : { by: 'viewer', error: asPortholeError(thrown) },
    );
    const error = signal.reason instanceof ViewerLeft ? undefined : end.error;
    if (error) viewer.close(error);
    else viewer.destroy();
    for (const cleanup of cleanups.toReversed()) await cleanup();
    report(error);
  }

  function report(error: PortholeError | undefined): void {
    metrics.closed(error?.close ?? 'by_viewer');
    const how = {
      ...who(),
      end: error?.code ?? 'by_viewer',
      ...(error?.detail ? { detail: error.detail } : {}),
    };
    if (openedAt === undefined || !claims) {
      metrics.opened(error?.code ?? 'by_viewer');
      deps.log.warn({ ...how, ...(error?.cause ? { err: error.cause } : {}) }, 'console not opened');
      return;
    }
    const seconds = (clock.now() - openedAt) / 1000;
    metrics.sessionEnded(claims.mode, claims.kind, seconds);
    deps.log.info({ ...how, seconds, bytes: carried }, 'console ended');
  }

  return {
    done: live(),
    end: (error) => ending.abort(error),
    matches({ kind, ref }) {
      if (!claims) return false;
      switch (kind) {
        case 'session':
          return claims.sessionId === ref;
        case 'login':
          return claims.loginRef === ref;
        case 'user':
          return claims.user.id === ref;
        case 'machine':
          return `${claims.cluster}/${claims.vmid}` === ref;
      }
    },
  };
}
