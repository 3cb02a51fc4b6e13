import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createCertificateAuthority } from '../../fakes/proxmox/certificates.ts';

export interface ScriptedNode {
  readonly url: string;
  readonly caPem: string;
  /** Method and path of each request. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** An HTTPS server with a certificate of its own CA, which handles each request as the test says. */
export async function startScriptedNode(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<ScriptedNode> {
  const authority = createCertificateAuthority();
  const { certPem, keyPem } = authority.issue({ name: 'pve1', fqdn: 'pve1.example', address: '127.0.0.1' });
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(
    { cert: certPem, key: keyPem, keepAliveTimeout: 60_000 },
    (request, response) => {
      requests.push(`${request.method} ${request.url}`);
      handle(request, response);
    },
  );
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caPem: authority.caPem,
    requests,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function respondWithVersion(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{"version":"9"}}');
}
