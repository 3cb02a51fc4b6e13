import { isIP, type OnReadOpts } from 'node:net';
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { ClusterConfig } from '../config/schema.ts';
import { PortholeError } from '../errors.ts';
import type { Clock } from '../time/clock.ts';
import { onAbort } from '../time/on-abort.ts';
import { createSessionTickets, type SessionTicket } from './session-tickets.ts';
import { createTrustPolicyReader, type TrustPolicy } from './trust-policy.ts';

export interface DialTarget {
  readonly host: string;
  readonly port: number;
  /** The node's name, if known: a certificate for this name is valid even if it does not contain the address. */
  readonly nodeName?: string | undefined;
}

/**
 * Opens a TLS connection to a Proxmox node and verifies its certificate. With `onread`, received bytes are written
 * to the caller's own buffer instead of being emitted as `data` events.
 *
 * Rejects with `proxmox_unreachable`, `proxmox_timeout` (also after an abort) or `proxmox_tls`.
 */
export type ProxmoxDial = (
  target: DialTarget,
  signal?: AbortSignal,
  onread?: OnReadOpts,
) => Promise<TLSSocket>;

/** Creates the dial for REST calls and console sockets. All connections of one dial share its session tickets. */
export function createProxmoxDial(
  tls: ClusterConfig['tls'],
  clock: Clock,
  { connectMs = 5000, trustPolicy = createTrustPolicyReader(tls) } = {},
): ProxmoxDial {
  const tickets = createSessionTickets(clock);

  return ({ host, port, nodeName }, signal, onread) =>
    new Promise((resolve, reject) => {
      const where = `${host}:${port}`;
      const aborted = () =>
        new PortholeError('proxmox_timeout', { detail: `${where}: the caller cancelled the connection` });
      if (signal?.aborted) {
        reject(aborted());
        return;
      }
      const policy = trustPolicy();
      const peer = { host, port, nodeName, policy };
      const ticket = tickets.find(peer);
      const socket = connect({
        host,
        port,
        ...(isIP(host) ? {} : { servername: host }),
        ...(onread ? { onread } : {}),
        secureContext: policy.secureContext,
        ...(ticket ? { session: ticket.session } : {}),
        rejectUnauthorized: policy.verifyChain,
        checkServerIdentity: createIdentityCheck(nodeName),
      });
      socket.setNoDelay(true);
      // Errors after a failed handshake, or before the caller listens, must not end the process.
      socket.on('error', ignore);
      // Node reports tickets of TLS 1.2 only if there is a listener before the handshake.
      if (!ticket) socket.once('session', ignore);
      const stop = (error: PortholeError) => {
        done();
        socket.destroy();
        reject(error);
      };
      const fail = (error: PortholeError) => {
        // The ticket may be the reason.
        if (ticket) tickets.forget(peer, ticket);
        stop(error);
      };
      const onError = (error: Error) => fail(toDialError(error, where));
      const onEnd = () =>
        // Proxmox's ALLOW_FROM and DENY_FROM close a connection before TLS begins.
        fail(
          new PortholeError('proxmox_unreachable', {
            detail: `${where} closed the connection during the TLS handshake`,
          }),
        );
      const removeAbortListener = onAbort(signal, () => stop(aborted()));
      const onSecureConnect = () => {
        const certificate = verifyPeer(socket, policy, ticket);
        if (certificate.fault !== undefined) {
          fail(new PortholeError('proxmox_tls', { detail: `${where}: ${certificate.fault}` }));
          return;
        }
        done();
        // Node emits `session` after this event, even if the peer sent its ticket earlier.
        socket.off('session', ignore);
        if (!socket.isSessionReused()) socket.once('session', tickets.keepFor(peer, certificate.fingerprint));
        resolve(socket);
      };
      const cancelTimer = clock.after(connectMs, () =>
        fail(
          new PortholeError('proxmox_timeout', {
            detail: `${where} did not complete the TLS handshake within ${connectMs} ms`,
          }),
        ),
      );
      const done = () => {
        cancelTimer();
        removeAbortListener();
        socket.off('error', onError).off('end', onEnd).off('secureConnect', onSecureConnect);
      };
      socket.once('error', onError).once('end', onEnd).once('secureConnect', onSecureConnect);
    });
}

type VerifiedCertificate =
  { readonly fingerprint: string; readonly fault?: undefined } | { readonly fault: string };

/**
 * Verifies the peer of a finished handshake. A resumed session does not show the certificate again: the ticket has the
 * fingerprint that was verified.
 */
function verifyPeer(
  socket: TLSSocket,
  policy: TrustPolicy,
  ticket: SessionTicket | undefined,
): VerifiedCertificate {
  const fingerprint = socket.isSessionReused()
    ? ticket?.fingerprint
    : socket.getPeerX509Certificate()?.fingerprint256;
  if (fingerprint === undefined) return { fault: 'the peer shows no certificate' };
  if (policy.verifyChain && !socket.authorized) return { fault: String(socket.authorizationError) };
  if (policy.fingerprints && !policy.fingerprints.has(fingerprint))
    return { fault: `the fingerprint of its certificate, ${fingerprint}, is not pinned` };
  return { fingerprint };
}

/** Depends on the name only, because the socket keeps it for its lifetime. */
function createIdentityCheck(nodeName: string | undefined) {
  return (host: string, certificate: PeerCertificate): Error | undefined => {
    const fault = checkServerIdentity(host, certificate);
    return fault && nodeName !== undefined ? checkServerIdentity(nodeName, certificate) && fault : fault;
  };
}

function ignore(): void {}

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'EADDRNOTAVAIL',
]);

function toDialError(error: Error & { code?: string }, where: string): PortholeError {
  if (error.code === 'ETIMEDOUT')
    return new PortholeError('proxmox_timeout', { detail: where, cause: error });
  if (error.code !== undefined && networkCodes.has(error.code))
    return new PortholeError('proxmox_unreachable', { detail: `${where}: ${error.code}`, cause: error });
  return new PortholeError('proxmox_tls', { detail: `${where}: ${error.message}`, cause: error });
}
