import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createPublicServer } from '@porthole/shared/http/public-server';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { eventually } from '../../eventually.ts';

const closing: (() => Promise<void> | undefined)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

type Deps = Partial<
  Pick<Parameters<typeof createPublicServer>[0], 'onRequest' | 'onUpgrade' | 'timeouts' | 'maxConnections'>
>;

async function aServer({ onRequest, ...deps }: Deps = {}) {
  const registry = createRegistry();
  const server = createPublicServer({
    listen: { host: '127.0.0.1', port: 0 },
    maxConnections: 100,
    registry,
    onRequest: onRequest ?? ((_request, response) => void response.end('page')),
    ...deps,
  });
  await server.start?.();
  closing.push(() => server.stop?.());
  const { port } = server.address();
  return { server, port, registry, get: (path: string) => fetch(`http://127.0.0.1:${port}${path}`) };
}

/** Sends raw text and returns the complete response. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.write(text);
  await once(socket, 'close');
  return received;
}

const upgrade = 'GET /relay HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

describe('the public port', () => {
  test('passes requests to the listener', async () => {
    const { get } = await aServer();
    expect(await (await get('/')).text()).toBe('page');
  });

  test('passes upgrades to the listener, with the bytes that follow', async () => {
    const heads: string[] = [];
    const { port } = await aServer({
      onUpgrade(request, socket, head) {
        heads.push(`${request.url} ${head.toString()}`);
        socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
      },
    });
    expect(await raw(port, `${upgrade}first bytes`)).toContain('101');
    expect(heads).toEqual(['/relay first bytes']);
  });

  test('answers an upgrade like any request without an upgrade listener', async () => {
    const { port } = await aServer({
      onRequest: (_request, response) => void response.writeHead(404, { connection: 'close' }).end(),
    });
    expect(await raw(port, upgrade)).toMatch(/^HTTP\/1\.1 404 /);
  });

  test('rejects headers that are too large, and bytes that are not HTTP', async () => {
    const { port } = await aServer();
    const large = `GET / HTTP/1.1\r\nHost: x\r\nCookie: ${'x'.repeat(17 * 1024)}\r\n\r\n`;
    expect(await raw(port, large)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await raw(port, 'RFB 003.008\n\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('completes responses in flight when it stops', async () => {
    const arrived = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const { server, get, port } = await aServer({
      onRequest(_request, response) {
        arrived.resolve();
        void goOn.promise.then(() => response.end('slow page'));
      },
    });
    const asking = get('/');
    await arrived.promise;
    const stopping = server.stop?.();
    const refused: Socket = connect(port, '127.0.0.1');
    await once(refused, 'error');
    goOn.resolve();
    expect(await (await asking).text()).toBe('slow page');
    await stopping;
  });

  const timeouts = { headersMs: 60, requestMs: 120, checkIntervalMs: 20 };

  test('closes a connection whose request head never ends', async () => {
    const { port } = await aServer({ timeouts: timeouts });
    expect(await raw(port, 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ')).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('closes a connection whose request body never ends, and keeps serving others', async () => {
    const { port, get } = await aServer({
      timeouts: timeouts,
      onRequest(request, response) {
        request.on('end', () => response.end('page')).resume();
      },
    });
    const slow = raw(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf');
    expect(await (await get('/')).text()).toBe('page');
    expect(await slow).toMatch(/^HTTP\/1\.1 408 |^$/);
  });

  test('closes the connection that is idle longest for a new one at its limit', async () => {
    const { port, registry, get } = await aServer({ maxConnections: 3 });
    const sockets: Socket[] = [];
    for (let i = 0; i < 3; i++) {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      sockets.push(socket);
      await eventually('the connection is counted', async () =>
        (await registry.metrics()).includes(`porthole_http_connections ${i + 1}`),
      );
    }
    const [first, second, third] = sockets;
    // The first one was used last, so the second one is idle longest.
    first?.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(first!, 'data');
    const closed = once(second!, 'close');
    second?.resume();
    expect(await (await get('/')).text()).toBe('page');
    await closed;
    expect([first?.destroyed, third?.destroyed]).toEqual([false, false]);
    const metrics = await registry.metrics();
    expect(metrics).toContain('porthole_http_connections_closed_total{reason="idle"} 1');
    expect(metrics).toContain('porthole_http_connections 3');
    for (const socket of sockets) socket.destroy();
    await eventually('no connection is counted', async () =>
      /^porthole_http_connections [01]$/m.test(await registry.metrics()),
    );
  });

  test('closes a new connection if a request is in progress on all others', async () => {
    const goOn = Promise.withResolvers<void>();
    let inProgress = 0;
    const { port, registry } = await aServer({
      maxConnections: 2,
      onRequest(_request, response) {
        inProgress++;
        void goOn.promise.then(() => response.end('slow page'));
      },
    });
    const request = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const answers = [raw(port, request), raw(port, request)];
    await eventually('both requests are in progress', () => inProgress === 2);
    expect(await registry.metrics()).toContain('porthole_http_connections 2');
    expect(await raw(port, request)).toBe('');
    expect(await registry.metrics()).toContain('porthole_http_connections_closed_total{reason="new"} 1');
    goOn.resolve();
    for (const answer of await Promise.all(answers)) expect(answer).toContain('slow page');
  });

  test('does not count a connection that was upgraded', async () => {
    const upgraded: Duplex[] = [];
    const { port, registry, get } = await aServer({
      maxConnections: 1,
      onUpgrade: (_request, socket) => void upgraded.push(socket),
    });
    const client = connect(port, '127.0.0.1');
    client.write(upgrade);
    await eventually('it is upgraded', () => upgraded.length === 1);
    expect(await registry.metrics()).toContain('porthole_http_connections 0');
    expect(await (await get('/')).text()).toBe('page');
    expect(upgraded[0]?.destroyed).toBe(false);
    client.destroy();
    upgraded[0]?.destroy();
  });

  test('rejects too many headers', async () => {
    const { port } = await aServer();
    const answer = await raw(port, `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(17_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  });
});
