import type { Audit } from '@porthole/shared/audit/audit';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { TerminationSignal } from '@porthole/shared/session/signals';
import {
  terminationError,
  appliesTo,
  type TerminationOrders,
} from '@porthole/shared/session/termination-orders';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { Clock } from '@porthole/shared/time/clock';
import type { Log } from '@porthole/shared/telemetry/log';
import { randomId, type RandomBytes } from '@porthole/shared/crypto/random';
import type { Tracing } from '@porthole/shared/telemetry/tracing';
import type { SessionRecord } from '@porthole/shared/session/records';
import { admit, type AdmitDeps, type Presented } from './admit.ts';
import { auditFactsOf } from './audit-facts.ts';
import { carry, type CarryEnd } from '../stream/stream-console.ts';
import { createClientWords } from '../viewer/control-message-reader.ts';
import { withDeadline } from './with-deadline.ts';
import type { DialledConsole, DialRequest } from '../upstream/dial.ts';
import { diagnoseEnd, type RelayCluster } from '../upstream/machine.ts';
import type { Deadlines } from './deadlines.ts';
import type { RelayMetrics } from '../metrics.ts';
import type { Link } from '../stream/link.ts';
import type { Direction } from '../stream/pump.ts';
import type { TakeRest } from '../stream/run-handshake.ts';
import { dialInLine, greet, ViewerLeft } from './open-console.ts';
import { appear, recordOf, type Presence, type PresenceDeps } from './registration.ts';
import { startResumeTokens, type ResumeTokens } from './resume-tokens.ts';
import { createSessionTime, type SessionTime } from './time-limits.ts';
import { traceOpening, type OpeningTrace } from './opening-trace.ts';
import type { Traffic } from '../stream/link-gauges.ts';
import type { Viewer } from '../viewer/viewer.ts';
import type { ObserverNotifier } from './observers.ts';

export interface SessionDeps extends AdmitDeps, PresenceDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly ends: Pick<TerminationOrders, 'findFor'>;
  readonly observers: Pick<ObserverNotifier, 'attend' | 'announce'>;
  readonly log: Log;
  readonly audit: Audit;
  readonly metrics: RelayMetrics;
  readonly deadlines: Deadlines;
  readonly traffic: Pick<Traffic, 'add'>;
  readonly tracing: Pick<Tracing, 'startSpan'>;
  readonly queueSeconds: number;
  readonly clusters: ReadonlyMap<string, RelayCluster>;
  readonly dial: (request: DialRequest) => Promise<DialledConsole>;
}

export interface ConsoleSession {
  /** Resolves when everything of the session is gone. Never rejects. */
  readonly done: Promise<void>;
  /** Ends it with this error's close code, in whatever phase it is. */
  end(error: PortholeError): void;
  /** Whose console it is; undefined until that is known. */
  claims(): GrantClaims | undefined;
  /** Whether an order to end consoles is meant for this one. */
  matches(order: Pick<TerminationSignal, 'target' | 'at'>): boolean;
  /** Another connection has the session now. */
  takenBy(sessionId: string, connection: string): void;
  /** A text frame of the viewer. */
  heard(text: string): void;
  /** Says that the relay is about to leave. */
  warn(): void;
}

/** A console that is open, and what is needed to carry it. */
interface Opened {
  readonly claims: GrantClaims;
  readonly cluster: RelayCluster;
  readonly dialled: DialledConsole;
  readonly viewerRest: TakeRest;
}

/** One console from the WebSocket to its end: admit, dial, carry, and say why it is over. */
export function startConsoleSession(deps: SessionDeps, viewer: Viewer, presented: Presented): ConsoleSession {
  const { clock, metrics } = deps;
  const ending = new AbortController();
  const signal = ending.signal;
  const cleanups: (() => Promise<void> | void)[] = [];
  const connection = randomId(deps.random, 12);
  const readWords = createClientWords(clock);
  const carried = { to_viewer: 0, to_machine: 0 };
  let claims: GrantClaims | undefined;
  let machine: Link | undefined;
  let openedAt: number | undefined;
  let presence: Presence | undefined;
  let time: SessionTime | undefined;
  let tokens: ResumeTokens | undefined;
  let opening: OpeningTrace | undefined;
  const since = clock.now();

  /** The way to an open console; whatever ends it early is thrown. Nothing of it is kept but what it answers. */
  async function open(presented: Presented): Promise<Opened> {
    const granted = await admit(deps, presented);
    // From here on signals find it, so that no order slips in between.
    claims = granted;
    opening = traceOpening(deps.tracing, granted, since);
    return opening.run(() => openGranted(granted));
  }

  async function openGranted(granted: GrantClaims): Promise<Opened> {
    const ordered = await deps.ends.findFor(granted);
    if (ordered) throw terminationError(ordered);
    presence = await appear(deps, granted, {
      signal,
      describe,
      taken: () => ending.abort(new PortholeError('taken_over')),
    });
    signal.throwIfAborted();
    const cluster = deps.clusters.get(granted.cluster);
    if (!cluster) throw new PortholeError('machine_not_found', { detail: `no cluster ${granted.cluster}` });

    const greeted = greet(viewer, granted.kind, signal, (error) => ending.abort(error));
    const dialled = await dialInLine(deps, { claims: granted, cluster, viewer, signal });
    machine = dialled.link;
    const viewerRest = await withDeadline(
      { clock, signal },
      deps.deadlines.viewerHandshake,
      'viewer_protocol',
      () => greeted,
    );
    // Where the machine runs, which may be another node than when it was granted.
    claims = { ...granted, node: dialled.machine.node };
    return { claims, cluster, dialled, viewerRest };
  }

  function stream({ claims: granted, cluster, dialled, viewerRest }: Opened): Promise<CarryEnd> {
    time = begin(granted);
    return carry({
      clock,
      claims: granted,
      viewer,
      viewerRest,
      dialled,
      count,
      metrics,
      traffic: deps.traffic,
      onPicture() {
        metrics.phase('picture', (clock.now() - since) / 1000);
        opening?.pictured();
      },
      keepAliveMs: deps.deadlines.keepAlive,
      time,
      signal,
    }).then((end) => (end.by === 'viewer' || end.error ? end : whyEnded(cluster, granted)));
  }

  function count(direction: Direction, bytes: number): void {
    carried[direction] += bytes;
    metrics.bytes(direction, bytes);
  }

  async function whyEnded(cluster: RelayCluster, granted: GrantClaims): Promise<CarryEnd> {
    const error = await withDeadline({ clock, signal }, deps.deadlines.diagnose, 'console_lost', (phase) =>
      diagnoseEnd(cluster, granted, { clock, signal: phase }),
    );
    return { by: 'machine', error };
  }

  /** The console is open. */
  function begin(granted: GrantClaims): SessionTime {
    const { mode, kind } = granted;
    openedAt = clock.now();
    const seconds = (openedAt - since) / 1000;
    opening?.opened();
    metrics.opened('ok');
    if (granted.resumes) metrics.resumed();
    metrics.phase('total', seconds);
    metrics.sessionStarted(mode, kind);
    deps.log.info(
      { ...who(), node: granted.node, resumed: granted.resumes !== undefined, seconds },
      'console opened',
    );
    deps.audit({
      event: 'console_opened',
      ...auditFactsOf(granted, deps.relayId),
      resumed: granted.resumes !== undefined,
    });
    const { clipboard } = granted;
    const tell = (message: ControlMessage) => viewer.tell(message);
    viewer.tell({ type: 'opened', mode, ...(clipboard === undefined ? {} : { clipboard }) });
    if (viewer.speaks) cleanups.push(deps.observers.attend(granted, tell));
    deps.observers.announce(granted);
    const begun = createSessionTime({ clock, claims: granted, tell });
    if (viewer.speaks)
      tokens = startResumeTokens({
        records: deps.records,
        keys: deps.keys,
        random: deps.random,
        clock,
        claims: () => ({ ...granted, resumes: { openedAt: begun.openedAt, endsAt: begun.endsAt() } }),
        give: (token) => viewer.tell({ type: 'resume', token }),
      });
    return begun;
  }

  function describe(): SessionRecord {
    if (!claims) throw new Error('A session is described once it is known whose it is.');
    return recordOf(claims, {
      connection,
      relay: deps.relayId,
      node: claims.node,
      since: time?.openedAt ?? claims.resumes?.openedAt ?? since,
      bytes: { toViewer: carried.to_viewer, toMachine: carried.to_machine },
    });
  }

  function who() {
    return claims
      ? {
          session: claims.sessionId,
          user: claims.user.id,
          cluster: claims.cluster,
          vmid: claims.vmid,
          mode: claims.mode,
          ...(opening?.traceId ? { trace: opening.traceId } : {}),
        }
      : {};
  }

  async function finish(end: CarryEnd): Promise<void> {
    const error = signal.reason instanceof ViewerLeft ? undefined : end.error;
    opening?.end(error);
    if (error) viewer.close(error);
    else viewer.destroy();
    for (const cleanup of cleanups.toReversed()) await cleanup();
    machine?.destroy();
    await disappear(error);
    report(error);
  }

  /** A viewer that was lost, or sent to another relay, comes back with its newest token; any other end is one. */
  async function disappear(error: PortholeError | undefined): Promise<void> {
    const mayComeBack = tokens?.given() && (error ? error.code === 'draining' : viewer.lost);
    await (mayComeBack ? tokens?.stop() : tokens?.revoke());
    await (mayComeBack ? presence?.leave() : presence?.end());
    if (claims && openedAt !== undefined) deps.observers.announce(claims);
  }

  function report(error: PortholeError | undefined): void {
    metrics.closed(error?.close ?? 'by_viewer');
    const how = {
      ...who(),
      end: error?.code ?? 'by_viewer',
      ...(error?.detail ? { detail: error.detail } : {}),
    };
    const facts = claims && auditFactsOf(claims, deps.relayId);
    const end = error?.code ?? 'by_viewer';
    if (openedAt === undefined || !facts || !claims) {
      if (facts) deps.audit({ event: 'console_open_failed', ...facts, end });
      metrics.opened(error?.code ?? 'by_viewer');
      deps.log.warn({ ...how, ...(error?.cause ? { err: error.cause } : {}) }, 'console not opened');
      return;
    }
    const seconds = (clock.now() - openedAt) / 1000;
    metrics.sessionEnded(claims.mode, claims.kind, seconds);
    deps.log.info({ ...how, seconds, bytes: carried }, 'console ended');
    const bytes = { toViewer: carried.to_viewer, toMachine: carried.to_machine };
    deps.audit({ event: 'console_ended', ...facts, end, seconds, bytes });
  }

  return {
    done: open(presented)
      .then(stream)
      .catch((thrown: unknown): CarryEnd =>
        thrown instanceof ViewerLeft ? { by: 'viewer' } : { by: 'viewer', error: asPortholeError(thrown) },
      )
      .then(finish),
    end: (error) => ending.abort(error),
    claims: () => claims,
    matches: (order) => claims !== undefined && appliesTo(order, claims),
    takenBy(sessionId, newcomer) {
      if (claims?.sessionId === sessionId && connection !== newcomer)
        ending.abort(new PortholeError('taken_over'));
    },
    heard(text) {
      try {
        if (!viewer.speaks) throw new PortholeError('viewer_protocol', { detail: 'text of a plain viewer' });
        if (readWords(text).type === 'ping') viewer.tell({ type: 'pong' });
        else time?.extend();
      } catch (error) {
        ending.abort(error);
      }
    },
    warn: () => viewer.tell({ type: 'moving' }),
  };
}
