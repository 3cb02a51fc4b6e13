import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { RecordStore } from '@porthole/shared/store/ports';
import type { Tracing } from '@porthole/shared/telemetry/tracing';
import type { Clock } from '@porthole/shared/time/clock';
import { onAbort } from '@porthole/shared/time/on-abort';
import { withDeadline } from '@porthole/shared/time/with-deadline';
import { WebSocket } from 'ws';
import type { ForwardRequest, ForwardViewer, RelayAddress } from './contracts.ts';
import { createForwardToken } from './forward-token.ts';
import { PeerConnection, peerSocketOptions } from './peer-connection.ts';
import { createPeerKeys } from './peer-keys.ts';
import { forwardPath, parsePeerMessage } from './peer-messages.ts';
import { peerClientTls } from './peer-tls.ts';
import type { SharingMetrics } from './sharing-metrics.ts';

/** How long the owner may take to answer: TCP, TLS and the upgrade. */
const defaultConnectMs = 1000;

export interface ForwardViewerDeps {
  readonly records: Pick<RecordStore, 'put'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
  readonly tracing: Pick<Tracing, 'withSpan'>;
  readonly metrics: Pick<SharingMetrics, 'forwarded' | 'forwardRefused'>;
  readonly connectMs?: number;
}

/** Creates the client of other relays' internal listeners. */
export function createForwardViewer(deps: ForwardViewerDeps): ForwardViewer {
  const peerKeys = createPeerKeys(deps.keys);
  const { clock, connectMs = defaultConnectMs, metrics, tracing } = deps;

  async function forward(address: RelayAddress, { claims, signal, onNotice }: ForwardRequest) {
    const token = await createForwardToken(deps, address, claims);
    signal.throwIfAborted();
    const accepted = Promise.withResolvers<void>();
    // It is awaited only once the owner is connected.
    accepted.promise.catch(() => {});
    const open = (socket: WebSocket, connection: Socket) => {
      metrics.forwarded('out', 1);
      const peer = new PeerConnection({
        socket,
        connection,
        clock,
        onText(text) {
          const message = parsePeerMessage(text);
          if (message?.type === 'accepted') accepted.resolve();
          else if (message?.type === 'keyframe') peer.onKeyframe(message);
          else if (message?.type === 'screen') onNotice(message);
        },
        onEnded(error) {
          metrics.forwarded('out', -1);
          accepted.reject(refusalOf(error));
        },
      });
      return peer;
    };
    const tls = peerClientTls(peerKeys);
    const link = await withDeadline({ clock, signal }, connectMs, 'owner_unreachable', (attempt) =>
      connect({ address, token, tls, signal: attempt }, open),
    );
    const stopListening = onAbort(signal, (reason) => {
      accepted.reject(reason);
      link.destroy();
    });
    try {
      // The owner may have to dial first, so there is no deadline. Its pings say that it is alive.
      await accepted.promise;
      return link;
    } finally {
      stopListening();
    }
  }

  return (address, request) =>
    tracing.withSpan('console forward', {}, async (span) => {
      const { traceparent = request.claims.traceparent } = span;
      const claims = { ...request.claims, ...(traceparent === undefined ? {} : { traceparent }) };
      try {
        return await forward(address, { ...request, claims });
      } catch (error) {
        if (!request.signal.aborted) metrics.forwardRefused('out', asPortholeError(error).code);
        throw error;
      }
    });
}

interface Target {
  readonly address: RelayAddress;
  readonly token: string;
  readonly tls: ConnectionOptions;
  readonly signal: AbortSignal;
}

/** Opens the WebSocket, and calls `open` in the same step as the upgrade, so that no message is lost. */
function connect(
  { address, token, tls, signal }: Target,
  open: (socket: WebSocket, connection: Socket) => PeerConnection,
): Promise<PeerConnection> {
  return new Promise((resolve, reject) => {
    const unreachable = (detail: string, cause?: unknown) =>
      new PortholeError('owner_unreachable', { detail: `${address}: ${detail}`, cause });
    const socket = new WebSocket(`wss://${address}${forwardPath}`, {
      ...tls,
      ...peerSocketOptions,
      headers: { authorization: `Bearer ${token}` },
    });
    let opened: PeerConnection | undefined;
    // If the caller gives up before it has the connection, no caller destroys it.
    const stopListening = onAbort(signal, (reason) => {
      reject(reason);
      if (opened) opened.destroy();
      else socket.terminate();
    });
    const fail = (error: PortholeError) => {
      stopListening();
      reject(error);
      socket.terminate();
    };
    // Also the error of a socket that was terminated before it was open.
    socket.on('error', (cause) => {
      if (!opened) fail(unreachable('no connection', cause));
    });
    socket.on('unexpected-response', (_request, response) => {
      const { statusCode } = response;
      response.resume();
      // It answers, so it is not to be replaced: this viewer gets a console of its own.
      if (statusCode === 503 || statusCode === 429)
        fail(new PortholeError('screen_full', { detail: `${address} answered ${statusCode}` }));
      else fail(unreachable(`answered ${statusCode}`));
    });
    socket.on('upgrade', ({ socket: connection }) => {
      connection.setNoDelay(true);
      opened = open(socket, connection);
    });
    socket.on('open', () => {
      stopListening();
      if (opened) resolve(opened);
    });
  });
}

/** Why an owner that was reached does not serve the viewer. */
function refusalOf(error: PortholeError | undefined): PortholeError {
  if (!error) return new PortholeError('owner_unreachable', { detail: 'closed without an answer' });
  // It is going, or gone: the machine needs another owner.
  if (error.code === 'screen_moved')
    return new PortholeError('owner_unreachable', {
      detail: error.detail ?? 'it moves its consoles',
      cause: error,
    });
  return error;
}
