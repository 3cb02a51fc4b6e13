import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { isIP, type OnReadOpts } from 'node:net';
import type { Clock } from '../clock.ts';
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
  const secureContext = createContextCache(tls.caFile);

  return ({ host, port, nodeName }, signal, onread) =>
    new Promise((resolve, reject) => {
      const where = `${host}:${port}`;
      const socket = connect({
        host,
        port,
        ...(isIP(host) ? {} : { servername: host }),
        ...(onread ? { onread } : {}),
        secureContext: secureContext(),
        rejectUnauthorized: verifyChain,
        checkServerIdentity: (name, certificate) => identityFault(name, nodeName, certificate),
      });
      socket.setNoDelay(true);
      // What the destruction of a half-open socket still has to say, and what happens before somebody uses it.
      socket.on('error', () => {});
      const fail = (error: PortholeError) => {
        done();
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
        const seen = socket.getPeerX509Certificate()?.fingerprint256;
        if (pinned && (seen === undefined || !pinned.has(seen))) {
          fail(
            new PortholeError('proxmox_tls', {
              detail: `${where} has fingerprint ${seen}, which is not pinned`,
            }),
          );
          return;
        }
        done();
        resolve(socket);
      });
    });
}

/** One context for all connections, made anew when the CA file has changed: making one costs milliseconds. */
function createContextCache(caFile: (() => string) | undefined): () => SecureContext {
  let text: string | undefined;
  let context: SecureContext | undefined;
  return () => {
    const now = caFile?.();
    if (context === undefined || now !== text) {
      try {
        context = createSecureContext(now === undefined ? {} : { ca: now });
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

function identityFault(
  host: string,
  nodeName: string | undefined,
  certificate: PeerCertificate,
): Error | undefined {
  const fault = checkServerIdentity(host, certificate);
  return fault && nodeName !== undefined ? checkServerIdentity(nodeName, certificate) && fault : fault;
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
