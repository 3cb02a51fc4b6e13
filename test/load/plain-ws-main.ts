import { createServer } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import { serveParent } from './child.ts';

/** The simplest relay: a `ws` server in front of a `ws` client, message by message. */
const [upstream = '', ca = ''] = process.argv.slice(2);
const pauseBytes = 1024 * 1024;
const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const server = createServer();

server.on('upgrade', (request, socket, head) => {
  webSockets.handleUpgrade(request, socket, head, (viewer) => {
    const machine = new WebSocket(`${upstream.replace('https', 'wss')}${request.url}`, ['binary'], {
      ca,
      perMessageDeflate: false,
    });
    forward(viewer, machine);
    viewer.pause();
    machine.once('open', () => {
      viewer.resume();
      forward(machine, viewer);
    });
  });
});

function forward(from: WebSocket, to: WebSocket): void {
  from.on('message', (data: Buffer, binary) => {
    to.send(data, { binary }, () => {
      if (from.isPaused && to.bufferedAmount < pauseBytes) from.resume();
    });
    if (to.bufferedAmount > pauseBytes) from.pause();
  });
  from.on('close', () => to.terminate());
  from.on('error', () => {});
}

server.listen(0, '127.0.0.1', 1024, () => {
  serveParent({ port: (server.address() as { port: number }).port }, () => ({}));
});
