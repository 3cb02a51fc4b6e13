import { once } from 'node:events';
import { createPublicServer } from '@porthole/shared/http/public-server';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import type { Browser } from '../broker/browser.ts';
import { closeBrokers, startBroker, type Rig } from '../broker/rig.ts';
import { createRelayRig, testOrigin, type RelayRig } from '../relay/rig.ts';
import { heldBytes } from './heap.ts';
import { openSocket, sendRaw, upgradeLines, whenClosed } from './raw-http.ts';
import { rounds, roundsTimeout } from './rounds.ts';
import { threat } from './threat-table.ts';

/** The broker and the relay behind public servers that wait for less time than the real ones. */
const timeouts = { headersMs: 400, requestMs: 800, checkIntervalMs: 50 };
const mib = 1024 * 1024;
const host = 'Host: localhost:8080';

let broker: Rig;
let relay: RelayRig;
let anna: Browser;
const ports: Record<'broker' | 'relay', number> = { broker: 0, relay: 0 };
const stopping: (() => Promise<void> | undefined)[] = [];
async function serve(name: keyof typeof ports, { broker, relay }: { broker?: Rig; relay?: RelayRig }) {
  const onRequest = broker?.broker.onRequest ?? relay?.relay.onRequest;
  const server = createPublicServer({
    listen: { host: '127.0.0.1', port: 0 },
    onRequest: onRequest ?? (() => {}),
    ...(relay ? { onUpgrade: relay.relay.onUpgrade } : {}),
    maxConnections: 10_000,
    registry: createRegistry(),
    timeouts,
  });
  await server.start?.();
  stopping.push(() => server.stop?.());
  ports[name] = server.address().port;
}
beforeAll(async () => {
  broker = await startBroker();
  relay = await createRelayRig();
  await serve('broker', { broker });
  await serve('relay', { relay });
  anna = await broker.signedIn('anna');
});
afterAll(async () => {
  for (const stop of stopping) await stop();
  await closeBrokers();
  await relay.stop();
});
afterEach(async () => {
  expect((await anna.get('/api/v1/me')).status).toBe(200);
  const client = await relay.open();
  await client.rfb();
  client.close();
});

/** Writes pieces one after the other until the connection is closed. Resolves with what was answered. */
async function drip(port: number, first: string, next: () => string): Promise<string> {
  const socket = await openSocket(port);
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.write(first);
  const timer = setInterval(() => socket.write(next()), 30);
  await whenClosed(socket);
  clearInterval(timer);
  return received;
}

/** Writes the same bytes as fast as they are taken, until the connection is closed or `onMuch` was called. */
async function flood(port: number, head: string, piece: Buffer, onMuch?: () => void): Promise<number> {
  const socket = await openSocket(port);
  const closed = whenClosed(socket);
  let written = 0;
  socket.resume();
  socket.write(head);
  while (!socket.destroyed) {
    written += piece.length;
    if (!socket.write(piece)) await Promise.race([once(socket, 'drain').catch(() => {}), closed]);
    if (onMuch && written > 16 * mib) {
      onMuch();
      socket.destroy();
    }
  }
  return written;
}

describe.each(['broker', 'relay'] as const)(`${threat('H6')} (%s)`, (name) => {
  const post = (path: string, ...headers: string[]) =>
    `POST ${path} HTTP/1.1\r\n${[host, 'Sec-Fetch-Site: same-origin', 'Content-Type: application/json', ...headers].join('\r\n')}\r\n`;
  const letters = () => 'x';
  const lines = () => 'X: y\r\n';
  const slow: Readonly<Record<string, readonly [string, () => string]>> = {
    'a request line': ['GET /', letters],
    'a header': [`GET / HTTP/1.1\r\n${host}\r\nX: `, letters],
    headers: [`GET / HTTP/1.1\r\n${host}\r\n`, lines],
    nothing: ['', () => ''],
    'empty lines': ['', () => '\r\n'],
    'an upgrade': [`${upgradeLines(`Origin: ${testOrigin}`).join('\r\n')}\r\nX: `, letters],
    'a body': [`${post('/api/v1/login', 'Content-Length: 9999')}\r\n{`, letters],
    chunks: [`${post('/api/v1/login', 'Transfer-Encoding: chunked')}\r\n`, () => '1\r\nx\r\n'],
    'the size of a chunk': [`${post('/api/v1/logout', 'Transfer-Encoding: chunked')}\r\n1;`, letters],
    trailers: [`${post('/api/v1/logout', 'Transfer-Encoding: chunked')}\r\n0\r\n`, lines],
  };

  test(
    'whatever comes without end, the connection ends',
    async () => {
      const clients = Object.entries(slow).flatMap((way) => Array.from({ length: rounds(5) }, () => way));
      const answers = await Promise.all(
        clients.map(async ([way, [first, next]]) => [way, await drip(ports[name], first, next)] as const),
      );
      const unexpected = answers.filter(([, text]) => !/^$|^HTTP\/1\.1 (4\d\d|200|204) /.test(text));
      expect(unexpected).toEqual([]);
    },
    roundsTimeout,
  );
});

describe.each(['broker', 'relay'] as const)(`${threat('H7')} (%s)`, (name) => {
  const to = (path: string, ...headers: string[]) =>
    `POST ${path} HTTP/1.1\r\n${[host, 'Sec-Fetch-Site: same-origin', 'Content-Type: application/json', ...headers].join('\r\n')}\r\n\r\n`;
  const letters = Buffer.alloc(64 * 1024, 'x');
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), letters, Buffer.from('\r\n')]);

  test.each<[string, string, Buffer]>([
    ['one header', `GET / HTTP/1.1\r\n${host}\r\nX: `, letters],
    ['many headers', `GET / HTTP/1.1\r\n${host}\r\n`, Buffer.from('X: y\r\n'.repeat(1000))],
    ['a path', 'GET /', letters],
    ['a method', '', letters],
    ['the extension of a chunk', `${to('/api/v1/login', 'Transfer-Encoding: chunked')}1;`, letters],
  ])('%s of any size is not read', async (_what, head, piece) => {
    expect(await flood(ports[name], head, piece)).toBeLessThan(24 * mib);
  });

  test.each([
    ['for a route that reads it', '/api/v1/login'],
    ['for a route that does not', '/api/v1/logout'],
    ['for no route', '/nothing'],
  ])('a body without end %s is not kept', async (_what, path) => {
    for (const [head, piece] of [
      [to(path, 'Transfer-Encoding: chunked'), chunk],
      [to(path, 'Content-Length: 99999999999'), letters],
    ] as const) {
      const before = heldBytes();
      let held = before;
      await flood(ports[name], head, piece, () => (held = heldBytes()));
      expect(held - before).toBeLessThan(8 * mib);
    }
  });

  test('thousands of headers, cookies and parameters are answered', async () => {
    const many = Array.from({ length: 1500 }, (_, i) => `X${i}: y`);
    const cookies = Array.from({ length: 2000 }, (_, i) => `a${i}=b`).join('; ');
    const query = Array.from({ length: 1500 }, (_, i) => `a${i}[b]=c`).join('&');
    for (const lines of [
      ['GET /api/v1/me HTTP/1.1', host, ...many],
      ['GET /api/v1/me HTTP/1.1', host, `Cookie: ${cookies.slice(0, 12_000)}`],
      [`GET /api/v1/sessions?${query.slice(0, 12_000)} HTTP/1.1`, host],
    ]) {
      const answer = await sendRaw(ports[name], [...lines, 'Connection: close']);
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 4\d\d /);
    }
  });
});
