import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type SecureVersion, type TLSSocket } from 'node:tls';
import type { NodeCertificate } from '../../fakes/proxmox/certificates.ts';

export interface TlsServer {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** All plaintext that clients sent. */
  received(): string;
  /** One entry per finished handshake: whether the client resumed a session. */
  readonly handshakes: readonly ('full' | 'resumed')[];
  /** Shows another certificate from now on. Tickets that were issued before can still be resumed. */
  replaceCertificate(certificate: NodeCertificate): void;
  close(): Promise<void>;
}

/**
 * A TLS server that answers each request with a version, and resumes sessions as OpenSSL does: by ticket, or by
 * session ID with `sessionIds` (TLS 1.2 only).
 */
export async function startTlsServer(
  certificate: NodeCertificate,
  options: { version?: SecureVersion; host?: string; port?: number; sessionIds?: boolean } = {},
): Promise<TlsServer> {
  const { version = 'TLSv1.3', host = '127.0.0.1', port = 0, sessionIds = false } = options;
  const handshakes: ('full' | 'resumed')[] = [];
  const sockets = new Set<Socket>();
  let text = '';
  const server = createServer(
    {
      cert: certificate.certPem,
      key: certificate.keyPem,
      minVersion: version,
      maxVersion: version,
      ...(sessionIds ? { secureOptions: noTickets } : {}),
    },
    (socket: TLSSocket) => {
      handshakes.push(socket.isSessionReused() ? 'resumed' : 'full');
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        if (text.endsWith('\r\n\r\n')) socket.write(response);
      });
      socket.on('error', () => {});
    },
  );
  if (sessionIds) resumeById(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.listen(port, host);
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  return {
    host,
    port: bound,
    url: `https://${host}:${bound}`,
    received: () => text,
    handshakes,
    replaceCertificate: ({ certPem, keyPem }) =>
      server.setSecureContext({ cert: certPem, key: keyPem, minVersion: version, maxVersion: version }),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** SSL_OP_NO_TICKET of OpenSSL. */
const noTickets = 1 << 14;
const body = '{"data":{"version":"9.2.11"}}';
const response = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

function resumeById(server: ReturnType<typeof createServer>): void {
  const sessions = new Map<string, Buffer>();
  server.on('newSession', (id: Buffer, data: Buffer, done: () => void) => {
    sessions.set(id.toString('hex'), data);
    done();
  });
  server.on('resumeSession', (id: Buffer, done: (error: Error | null, data: Buffer | null) => void) =>
    done(null, sessions.get(id.toString('hex')) ?? null),
  );
}
