import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { isIP, type OnReadOpts } from 'node:net';
import type { Clock } from '../time/clock.ts';
import type { ClusterConfig } from '../config/schema.ts';
import { PortholeError } from '../errors.ts';

export interface DialTarget {
  readonly host: string;
  readonly port: number;
  /** The node's name, if known: its certificate is good for that, too, when the address is not in it. */
  readonly nodeName?: string | undefined;
}

/**
 * Opens a TLS connection to a Proxmox node, its certificate checked as configured. With `onread` what arrives is
 * read into the caller's own memory, without `data` events.
 */
export type ProxmoxDial = (
  target: DialTarget,
  signal?: AbortSignal,
  onread?: OnReadOpts,
) => Promise<TLSSocket>;

/**
 * One way to verify Proxmox for everything that talks to it, REST and WebSocket alike.
 *
 * A pinned fingerprint replaces the chain: Proxmox's own certificates are signed by a CA of the cluster that
 * nobody else knows. pveupdate renews them in time, so a pin of a node's certificate changes; a CA file stays.
 */
export function createProxmoxDial(tls: ClusterConfig['tls'], clock: Clock, connectMs = 5000): ProxmoxDial {
  const pinned = tls.fingerprints && new Set(tls.fingerprints);
  const verifyChain = !pinned && !tls.insecureSkipVerify;
  const secureContext = createContextCache(tls);
  const tickets = createTicketCache(clock);

  return ({ host, port, nodeName }, signal, onread) =>
    new Promise((resolve, reject) => {
      const where = `${host}:${port}`;
      const context = secureContext();
      const ticket = tickets.of(context, `${where} ${nodeName ?? ''}`);
      const socket = connect({
        host,
        port,
        ...(isIP(host) ? {} : { servername: host }),
        ...(onread ? { onread } : {}),
        secureContext: context,
        ...(ticket.session ? { session: ticket.session } : {}),
        rejectUnauthorized: verifyChain,
        checkServerIdentity: createIdentityCheck(nodeName),
      });
      socket.setNoDelay(true);
      if (!ticket.session) socket.once('session', ticket.keep);
      // What the destruction of a half-open socket still has to say, and what happens before somebody uses it.
      socket.on('error', ignore);
      const fail = (error: PortholeError) => {
        done();
        ticket.forget();
        socket.destroy();
        reject(error);
      };
      const onError = (error: Error) => fail(dialFault(error, where));
      const onEnd = () =>
        // Proxmox's ALLOW_FROM and DENY_FROM close a connection before TLS begins.
        fail(
          new PortholeError('proxmox_unreachable', { detail: `${where} closed the connection during TLS` }),
        );
      const onAbort = () =>
        fail(new PortholeError('proxmox_timeout', { detail: `given up connecting to ${where}` }));
      const cancel = clock.after(connectMs, () =>
        fail(
          new PortholeError('proxmox_timeout', { detail: `${where} did not accept within ${connectMs} ms` }),
        ),
      );
      const done = () => {
        cancel();
        signal?.removeEventListener('abort', onAbort);
        socket.off('error', onError).off('end', onEnd);
      };
      socket.once('error', onError).once('end', onEnd);
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted) onAbort();
      socket.once('secureConnect', () => {
        const resumed = socket.isSessionReused();
        // A resumed session shows no certificate: its ticket is from a connection that was found good.
        const seen = socket.getPeerX509Certificate()?.fingerprint256;
        if (pinned && !resumed && (seen === undefined || !pinned.has(seen))) {
          fail(
            new PortholeError('proxmox_tls', {
              detail: `${where} has fingerprint ${seen}, which is not pinned`,
            }),
          );
          return;
        }
        if (ticket.session && !resumed) ticket.forget();
        done();
        resolve(socket);
      });
    });
}

/**
 * Key exchange without ML-KEM, of which OpenSSL makes a key pair for each connection and keeps it: 13 KiB of each
 * console's memory, and much of what it costs to open one (docs/performance.md).
 */
const classicGroups = 'X25519:P-256:P-384:P-521';

/** One context for all connections, made anew when the CA file has changed: making one costs milliseconds. */
function createContextCache({ caFile, postQuantum }: ClusterConfig['tls']): () => SecureContext {
  const groups = postQuantum ? 'auto' : classicGroups;
  let text: string | undefined;
  let context: SecureContext | undefined;
  return () => {
    const now = caFile?.();
    if (context === undefined || now !== text) {
      try {
        context = createSecureContext({ ecdhCurve: groups, ...(now === undefined ? {} : { ca: now }) });
      } catch (error) {
        throw new PortholeError('proxmox_tls', {
          detail: 'the CA file holds no PEM certificate',
          cause: error,
        });
      }
      text = now;
    }
    return context;
  };
}

/** The socket keeps its check for as long as it lives, so the check knows nothing but the name. */
function createIdentityCheck(nodeName: string | undefined) {
  return (host: string, certificate: PeerCertificate): Error | undefined => {
    const fault = checkServerIdentity(host, certificate);
    return fault && nodeName !== undefined ? checkServerIdentity(nodeName, certificate) && fault : fault;
  };
}

function ignore(): void {}

/** A ticket is used for this long. Shorter than any server's: its certificate is looked at again now and then. */
const ticketMs = 5 * 60_000;
/** Nodes, by each name that they are called; a cluster has fewer. */
const maxTickets = 256;

interface Ticket {
  readonly session: Buffer | undefined;
  keep(session: Buffer): void;
  forget(): void;
}

/**
 * TLS sessions to take up again (RFC 8446 section 2.2): less than half of the work of a new one at both ends, and
 * no certificates in memory. Nothing is checked again when one is taken up, so a ticket comes from a connection that
 * was found good, and is good for its address, name and authorities only.
 */
function createTicketCache(clock: Clock): { of(context: SecureContext, peer: string): Ticket } {
  let of: SecureContext | undefined;
  const tickets = new Map<string, { session: Buffer; until: number }>();
  return {
    of(context, peer) {
      if (of !== context) tickets.clear();
      of = context;
      const known = tickets.get(peer);
      return {
        session: known && clock.now() < known.until ? known.session : undefined,
        keep(session) {
          if (of !== context || (tickets.size >= maxTickets && !tickets.has(peer))) return;
          tickets.set(peer, { session, until: clock.now() + ticketMs });
        },
        forget: () => void tickets.delete(peer),
      };
    },
  };
}

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

function dialFault(error: Error & { code?: string }, where: string): PortholeError {
  if (error.code === 'ETIMEDOUT')
    return new PortholeError('proxmox_timeout', { detail: where, cause: error });
  if (error.code !== undefined && networkCodes.has(error.code))
    return new PortholeError('proxmox_unreachable', { detail: `${where}: ${error.code}`, cause: error });
  return new PortholeError('proxmox_tls', { detail: `${where}: ${error.message}`, cause: error });
}
