import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { textAnswer, type Answer } from './answers.ts';
import type { ByteSink } from './byte-sink.ts';
import type { Cluster, ClusterNode, LiveConsole } from './cluster.ts';
import type { Outcome } from './http-connection.ts';
import type { HttpRequest } from './http-requests.ts';
import type { Worker } from './node-server.ts';
import { runWebsocketSession } from './websocket-session.ts';

/** The error of pveproxy for an upgrade that is not a valid WebSocket request, or null. */
export function refuseUpgrade(request: HttpRequest): Answer | null {
  const protocol = (request.headers.get('upgrade') ?? '').toLowerCase();
  if (protocol !== 'websocket') return textAnswer(500, `unable to upgrade to protocol '${protocol}'`);
  const version = request.headers.get('sec-websocket-version') ?? '';
  if (version !== '13') return textAnswer(500, `unsupported websocket-version '${version}'`);
  if (!request.headers.get('sec-websocket-key')) return textAnswer(500, 'missing websocket-key');
  return null;
}

/**
 * Connects a request to its console port, and sends the 101 only after that. If nothing listens on the port, there is
 * no response, because pveproxy throws an exception that it does not catch.
 */
export function upgradeToConsole(options: {
  cluster: Cluster;
  node: ClusterNode;
  worker: Worker;
  request: HttpRequest;
  port: number;
}): Outcome {
  const { cluster, node, worker, request, port } = options;
  const { random, settings } = cluster;
  const { eventLoop, workerDeathMs } = settings;

  let session: ByteSink | undefined;
  const connected = node.ports.connect(port, {
    data: (bytes) => session?.data(bytes),
    end: () => session?.end(),
  });
  if (!connected) {
    if (eventLoop === 'perl') worker.dieAfter(workerDeathMs);
    return 'silence';
  }
  const { vmid, backend } = connected;

  return {
    // The client has disconnected, but its connection to the port counts.
    abandon: () => backend.end(),
    takeOver(socket: TLSSocket, head: Buffer) {
      socket.write(switchingProtocols(request));
      const live: LiveConsole = {
        vmid,
        node: node.name,
        end: () => running.end(),
        reset: () => resetConnection(socket),
      };
      cluster.consoles.add(live);
      const running = runWebsocketSession({
        socket,
        head,
        random,
        backend(sink) {
          session = sink;
          return backend;
        },
        onViolation(rule) {
          cluster.violations.push({ node: node.name, vmid, rule });
          if (eventLoop === 'perl') worker.dieAfter(workerDeathMs);
        },
        onClosed: () => void cluster.consoles.delete(live),
      });
    },
  };
}

/** A TLS socket can't be reset, but the TCP socket below it, for which Node has no public name. */
function resetConnection(socket: TLSSocket): void {
  const { _parent: connection } = socket as unknown as { readonly _parent: Socket };
  connection.resetAndDestroy();
}

function switchingProtocols({ headers }: HttpRequest): string {
  const key = headers.get('sec-websocket-key') ?? '';
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const offered = headers.get('sec-websocket-protocol');
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    // The request's header verbatim, even a list, so clients must offer at most one protocol. Never an extension.
    ...(offered === undefined ? [] : [`Sec-WebSocket-Protocol: ${offered}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
