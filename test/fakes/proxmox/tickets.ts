import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@porthole/shared/time/clock';

/**
 * All tickets that the cluster signs: session tickets, second-factor challenges, CSRF tokens and VNC tickets, with the
 * texts and lifetimes of Proxmox's AccessControl.pm and Ticket.pm.
 */
export interface Tickets {
  session(user: string): string;
  /** The user of a session ticket, or null if it is forged, expired or from the future. */
  verifySession(ticket: string): string | null;
  /** `factors`: the user's second factors. */
  challenge(user: string, factors: Readonly<Record<string, unknown>>): string;
  verifyChallenge(ticket: string, user: string): boolean;
  csrf(user: string): string;
  verifyCsrf(token: string, user: string): boolean;
  /** A bare VNC ticket, without the password prefix. */
  vnc(user: string, path: string, port: number): string;
  verifyVnc(ticket: string, user: string, path: string, port: number): VncTicketVerdict;
  /** Rotates the signing key and drops the old one, which invalidates all tickets. */
  rotateKey(): void;
}

export type VncTicketVerdict = 'valid' | 'invalid' | 'longer than key';

const sessionSeconds = 7200;
const futureSeconds = 300;
const signatureBytes = 256;

export function createTickets(options: { clock: Clock; bindPort: boolean }): Tickets {
  const { clock, bindPort } = options;
  let key = randomBytes(32);

  const seconds = () => Math.floor(clock.now() / 1000);
  const sign = (text: string) => signatureOf(key, text);
  const isSignatureOf = (signature: string, text: string) => {
    const given = Buffer.from(signature, 'base64');
    return given.length === signatureBytes && timingSafeEqual(given, Buffer.from(sign(text), 'base64'));
  };
  const isFresh = (time: string, before: number, after: number) => {
    const age = seconds() - Number.parseInt(time, 16);
    return age > -before && age < after;
  };
  const mac = (text: string) => createHmac('sha256', key).update(text).digest('base64').replace(/=+$/, '');

  return {
    session(user) {
      const text = `PVE:${escapeColons(user)}:${hex(seconds())}`;
      return `${text}::${sign(text)}`;
    },
    verifySession(ticket) {
      const match = /^(PVE:([^:]+):([0-9A-F]{8}))::(.+)$/s.exec(ticket);
      const [, text = '', user = '', time = '', signature = ''] = match ?? [];
      if (!match || user.startsWith('!tfa!')) return null;
      if (!isSignatureOf(signature, text) || !isFresh(time, futureSeconds, sessionSeconds)) return null;
      return decodeURIComponent(user);
    },
    challenge(user, factors) {
      const kinds = encodeURIComponent(JSON.stringify(factors));
      const text = `PVE:!tfa!${kinds}:${hex(seconds())}`;
      // The signature covers the user name, so this ticket is not valid as a cookie.
      return `${text}::${sign(`${text}:${user}`)}`;
    },
    verifyChallenge(ticket, user) {
      const match = /^(PVE:!tfa![^:]+:([0-9A-F]{8}))::(.+)$/s.exec(ticket);
      const [, text = '', time = '', signature = ''] = match ?? [];
      return (
        match !== null &&
        isSignatureOf(signature, `${text}:${user}`) &&
        isFresh(time, futureSeconds, sessionSeconds)
      );
    },
    csrf(user) {
      const time = hex(seconds());
      return `${time}:${mac(`csrf:${time}:${user}`)}`;
    },
    verifyCsrf(token, user) {
      const [time = '', sum] = token.split(':');
      return (
        /^[0-9A-F]{8}$/.test(time) &&
        sum === mac(`csrf:${time}:${user}`) &&
        isFresh(time, futureSeconds, sessionSeconds)
      );
    },
    vnc(user, path, port) {
      const time = hex(seconds());
      return `PVEVNC:${time}::${sign(vncText(time, user, path, port))}`;
    },
    verifyVnc(ticket, user, path, port) {
      // Since the hardening of April 2026, eight characters before the ticket are dropped without a check.
      const bare = bindPort ? ticket.replace(/^.{8}:(?=PVEVNC:)/s, '') : ticket;
      const match = /^PVEVNC:([0-9A-F]{8})::(.+)$/s.exec(bare);
      const [, time = '', signature = ''] = match ?? [];
      if (Buffer.from(signature, 'base64').length > signatureBytes) return 'longer than key';
      const valid =
        match && isSignatureOf(signature, vncText(time, user, path, port)) && isFresh(time, 20, 40);
      return valid ? 'valid' : 'invalid';
    },
    rotateKey() {
      key = randomBytes(32);
    },
  };

  function vncText(time: string, user: string, path: string, port: number): string {
    return `PVEVNC:${time}:${user}:${path}${bindPort ? `:${port}` : ''}`;
  }
}

/**
 * 256 bytes like an RSA-2048 signature, which are 344 base64 characters. Generated until `+` and `/` occur, so that a
 * client without URL encoding always fails.
 */
function signatureOf(key: Buffer, text: string): string {
  for (let round = 0; ; round++) {
    const parts = [0, 1, 2, 3].map((part) =>
      createHmac('sha512', key).update(`${round}:${part}:${text}`).digest(),
    );
    const signature = Buffer.concat(parts).toString('base64');
    if (signature.includes('+') && signature.includes('/')) return signature;
  }
}

const escapeColons = (text: string) => text.replace(/[%:]/g, encodeURIComponent);

const hex = (time: number) => time.toString(16).toUpperCase().padStart(8, '0');
