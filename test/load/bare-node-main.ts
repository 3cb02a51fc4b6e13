import { createServer } from 'node:http';
import type { OnReadOpts, Socket } from 'node:net';
import { connect, createSecureContext, type ConnectionOptions } from 'node:tls';
import { serveParent } from './child.ts';
import { createProfileChild, type ProfileRequest } from './profile-child.ts';

/**
 * Forwards bytes between two sockets, including the upgrade, without parsing or limits. So it costs what Node itself
 * costs.
 */
const [upstream = '', ca = ''] = process.argv.slice(2);
const { hostname, port: machinePort } = new URL(upstream);
const secureContext = createSecureContext({ ca, ecdhCurve: 'X25519' });
const readBuffer = Buffer.allocUnsafeSlow(16 * 1024);
const server = createServer();
const profile = createProfileChild();
let ticket: Buffer | undefined;

server.on('upgrade', (request, viewer: Socket, head: Buffer) => {
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
  // The types of tls.connect lack options that it passes to net.connect.
  const options: ConnectionOptions & { onread: OnReadOpts } = {
    host: hostname,
    port: Number(machinePort),
    secureContext,
    ...(ticket ? { session: ticket } : {}),
    onread: {
      buffer: readBuffer,
      callback(length) {
        viewer.write(Buffer.from(readBuffer.subarray(0, length)));
        return true;
      },
    },
  };
  const machine = connect(options);
  if (!ticket) machine.once('session', (session) => (ticket = session));
  machine.setNoDelay(true);
  viewer.setNoDelay(true);
  machine.write(`GET ${request.url} HTTP/1.1\r\n${headers.join('')}\r\n`);
  if (head.length > 0) machine.write(head);
  viewer.on('data', (chunk: Buffer) => machine.write(chunk));
  const end = () => {
    viewer.destroy();
    machine.destroy();
  };
  for (const socket of [viewer, machine]) socket.on('error', end).on('end', end).on('close', end);
});

server.listen(0, '127.0.0.1', 1024, () => {
  serveParent({ port: (server.address() as { port: number }).port }, (request: ProfileRequest) =>
    profile(request),
  );
});
