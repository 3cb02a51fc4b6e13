import type { Clock } from '../time/clock.ts';
import type { TrustPolicy } from './trust-policy.ts';

/** What a connection is verified for. */
export interface PeerIdentity {
  readonly host: string;
  readonly port: number;
  readonly nodeName: string | undefined;
  readonly policy: TrustPolicy;
}

/** A TLS session of a verified connection, which a later connection to the same peer can resume. */
export interface SessionTicket {
  readonly session: Buffer;
  readonly policy: TrustPolicy;
  /** SHA-256 of the certificate that was verified: a resumed session does not show it again. */
  readonly fingerprint: string;
  readonly expiresAt: number;
}

/**
 * TLS sessions to resume (RFC 8446 section 2.2, RFC 5077), which takes less than half of the work of a full handshake
 * at both ends and keeps no certificates in memory.
 *
 * The peer of a resumed session proves only that it made the ticket. So a ticket is kept only after its own
 * connection was verified, and is offered only to the same address, for the same node name and under the same policy.
 */
export interface SessionTickets {
  find(peer: PeerIdentity): SessionTicket | undefined;
  /** Returns a function that keeps the session. Call only after the connection was verified. */
  keepFor(peer: PeerIdentity, fingerprint: string): (session: Buffer) => void;
  /** Drops the ticket, unless a newer one has replaced it. */
  forget(peer: PeerIdentity, ticket: SessionTicket): void;
}

/** Shorter than the lifetime at any server, so that the certificate is verified again regularly. */
const ticketMs = 5 * 60_000;
/** More than the nodes of any cluster, by each name and address. */
const maxTickets = 256;

export function createSessionTickets(clock: Pick<Clock, 'now'>): SessionTickets {
  const tickets = new Map<string, SessionTicket>();
  const keyOf = ({ host, port, nodeName }: PeerIdentity) => JSON.stringify([host, port, nodeName]);

  return {
    find(peer) {
      const key = keyOf(peer);
      const ticket = tickets.get(key);
      if (ticket && ticket.policy === peer.policy && clock.now() < ticket.expiresAt) return ticket;
      tickets.delete(key);
      return undefined;
    },
    keepFor: (peer, fingerprint) => (session) => {
      const key = keyOf(peer);
      tickets.delete(key);
      tickets.set(key, { session, policy: peer.policy, fingerprint, expiresAt: clock.now() + ticketMs });
      const [oldest] = tickets.keys();
      if (tickets.size > maxTickets && oldest !== undefined) tickets.delete(oldest);
    },
    forget(peer, ticket) {
      const key = keyOf(peer);
      if (tickets.get(key) === ticket) tickets.delete(key);
    },
  };
}
