import { once } from 'node:events';
import { connect as connectPlainly } from 'node:net';
import { X509Certificate } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { connectRudely } from './rude-client.ts';
import { byToken, startCluster, type Cluster } from './test-kit.ts';

let cluster: Cluster;
afterEach(() => cluster.fake.close());

const get = (path: string, headers: Record<string, string> = byToken) =>
  `GET /api2/json${path} HTTP/1.1\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;

test('both nodes listen on the same port of their own addresses, with certificates of the same authority', async () => {
  cluster = await startCluster();
  const [first, second] = cluster.fake.nodes;
  expect(first).toMatchObject({ name: 'pve1', address: '127.0.0.2' });
  expect(second).toMatchObject({ name: 'pve2', address: '127.0.0.3', port: first?.port });
  const ca = new X509Certificate(cluster.fake.caPem);
  expect(ca.ca).toBe(true);
  expect(ca.subject).toContain('CN=Proxmox Virtual Environment');
  const leaf = new X509Certificate(first?.certPem ?? '');
  expect(leaf.verify(ca.publicKey)).toBe(true);
  expect(leaf.checkIssued(ca)).toBe(true);
  expect(leaf.subjectAltName).toBe(
    'IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:localhost, IP Address:127.0.0.2, DNS:pve1, DNS:pve1.porthole.test',
  );
  const { json } = await cluster.call('GET', '/nodes', { node: 'pve2' });
  expect(json.data).toMatchObject([
    { ssl_fingerprint: leaf.fingerprint256 },
    { ssl_fingerprint: second?.fingerprint },
  ]);
});

test('a host without a search domain has a certificate without a full domain name', async () => {
  cluster = await startCluster({ searchDomain: null });
  const leaf = new X509Certificate(cluster.fake.nodes[0]?.certPem ?? '');
  expect(leaf.subject).toContain('CN=pve1\n');
  expect(leaf.subjectAltName).toMatch(/, IP Address:127.0.0.2, DNS:pve1$/);
});

test('nodes that share an address get ports of their own', async () => {
  const nodes = ['pve1', 'pve2'].map((name) => ({ name, address: '127.0.0.1' }));
  cluster = await startCluster({ nodes });
  const [first, second] = cluster.fake.nodes;
  expect(first?.port).not.toBe(second?.port);
  expect(await cluster.call('GET', '/version', { node: 'pve2' })).toMatchObject({ status: 200 });
});

test('the server does not support ALPN', async () => {
  cluster = await startCluster();
  const client = await connectRudely(cluster.fake);
  expect(client.socket.alpnProtocol).toBe(false);
  expect(client.socket.getProtocol()).toBe('TLSv1.3');
  client.socket.destroy();
});

test('plain HTTP is sent to https', async () => {
  cluster = await startCluster();
  const { hostname, port } = new URL(cluster.fake.url());
  const socket = connectPlainly(Number(port), hostname);
  socket.write('GET /x HTTP/1.1\r\nHost: pve1:8006\r\n\r\n');
  const [bytes] = await once(socket, 'data');
  expect(String(bytes)).toMatch(/^HTTP\/1.1 301 [^]*Location: https:\/\/pve1:8006\/x\r\n/);
  socket.destroy();
});

test('a kept connection serves further requests, and closes five seconds after the last response', async () => {
  cluster = await startCluster();
  const client = await connectRudely(cluster.fake);
  client.send(get('/version') + get('/nodes'));
  await client.head();
  while (client.bytes().toString().split('HTTP/1.1 200 OK').length < 3) await new Promise(setImmediate);
  await cluster.clock.untilSomethingWaits(5000);
  cluster.clock.advance(4999);
  client.send(get('/version'));
  while (client.bytes().toString().split('HTTP/1.1 200 OK').length < 4) await new Promise(setImmediate);
  await cluster.clock.untilSomethingWaits(5000);
  cluster.clock.advance(5000);
  await client.untilEnded();
});

test('any answer from 400 on closes the connection', async () => {
  cluster = await startCluster({ unauthorizedDelayMs: 0 });
  const client = await connectRudely(cluster.fake);
  client.send(get('/nosuch'));
  await client.untilEnded();
  expect(client.bytes().toString()).toMatch(
    /^HTTP\/1.1 501 Method 'GET \/nosuch' not implemented\r\n[^]*Connection: close/,
  );
});

test('a failed authentication has no body and no Content-Length', async () => {
  cluster = await startCluster({ unauthorizedDelayMs: 0 });
  const client = await connectRudely(cluster.fake);
  client.send(get('/version', {}));
  await client.untilEnded();
  const answer = client.bytes().toString();
  expect(answer).toMatch(/^HTTP\/1.1 401 No ticket\r\n/);
  expect(answer).toMatch(/\r\n\r\n$/);
  expect(answer).not.toMatch(/Content-/);
});

test.each([
  ['64 headers', get('/version', Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`x-${i}`, '1'])))],
  ['headers of more than 8 KiB', get('/version', { cookie: 'x'.repeat(9000) })],
])('%s get no answer, and the connection closes after five seconds', async (_, text) => {
  cluster = await startCluster();
  const client = await connectRudely(cluster.fake);
  await cluster.clock.untilSomethingWaits(5000);
  client.send(text);
  await cluster.call('GET', '/version'); // a round trip, in which a response would arrive
  cluster.clock.advance(5000);
  await client.untilEnded();
  expect(client.bytes()).toHaveLength(0);
});

const connectionsIn = (answer: string) =>
  [...answer.matchAll(/^Connection: (.*)$/gm)].map(([, value]) => value);

/** The head of the response to one request of a connection that is kept. */
async function headOf(path: string, node?: string): Promise<string> {
  const client = await connectRudely(cluster.fake, node);
  client.send(get(path));
  const head = (await client.head()).replaceAll('\r', '');
  client.socket.destroy();
  return head;
}

test.each([
  ['of pveproxy has one Connection header', '/version', 'pve1', ['Keep-Alive']],
  ['of pvedaemon has two', '/nodes/pve1/qemu/100/status/current', 'pve1', ['close', 'Keep-Alive']],
  ['of another node has two', '/nodes/pve1/qemu/100/config', 'pve2', ['Keep-Alive', 'Keep-Alive']],
  [
    "of another node's pvedaemon has two",
    '/nodes/pve1/qemu/100/status/current',
    'pve2',
    ['close,Keep-Alive', 'Keep-Alive'],
  ],
])('a response %s', async (_, path, node, expected) => {
  cluster = await startCluster();
  const head = await headOf(path, node);
  expect(head).toMatch(/^HTTP\/1.1 200 OK\n/);
  expect(connectionsIn(head)).toEqual(expected);
});

test('an error of pvedaemon has one Connection header, and closes', async () => {
  cluster = await startCluster();
  expect(connectionsIn(await headOf('/nodes/pve1/qemu/999/status/current'))).toEqual(['close']);
});

test('a response says that it has expired', async () => {
  cluster = await startCluster();
  const [, date] = /^Date: (.*)$/m.exec(await headOf('/version')) ?? [];
  expect(await headOf('/version')).toContain(`\nExpires: ${date}`);
});

test('a response of more than 1024 bytes is compressed for a client that accepts gzip', async () => {
  const guests = Array.from({ length: 10 }, (_, i) => ({ vmid: 100 + i, node: 'pve1', name: `lab-${i}` }));
  cluster = await startCluster({ guests });
  const fetchWith = async (path: string, headers: Record<string, string>) => {
    const client = await connectRudely(cluster.fake);
    client.send(get(path, { ...byToken, ...headers, connection: 'close' }));
    await client.untilEnded();
    const bytes = client.bytes();
    const end = bytes.indexOf('\r\n\r\n');
    return { head: bytes.toString('latin1', 0, end), body: bytes.subarray(end + 4) };
  };
  const accepting = { 'accept-encoding': 'deflate, gzip' };
  const plain = await fetchWith('/cluster/resources', {});
  const compressed = await fetchWith('/cluster/resources', accepting);
  expect(plain.head).not.toContain('Content-Encoding');
  expect(compressed.head).toContain('\r\nContent-Encoding: gzip');
  expect(compressed.head).toContain(`\r\nContent-Length: ${compressed.body.length}`);
  expect(gunzipSync(compressed.body)).toEqual(plain.body);
  expect((await fetchWith('/version', accepting)).head).not.toContain('Content-Encoding');
});

test('a long URL is fine', async () => {
  cluster = await startCluster();
  expect(await cluster.call('GET', `/version?_dc=${'1'.repeat(9000)}`)).toMatchObject({ status: 200 });
});

test.each([
  [
    'a chunked body',
    'POST',
    { 'transfer-encoding': 'chunked' },
    'chunked transfer encoding not supported',
    true,
  ],
  ['PATCH', 'PATCH', {}, "method 'PATCH' not available", false],
  ['OPTIONS', 'OPTIONS', {}, "method 'OPTIONS' not available", false],
])('%s is not implemented', async (_, method, headers, reason, withText) => {
  cluster = await startCluster();
  const reply = await cluster.call(method, '/version', { headers: { ...byToken, ...headers } });
  expect(reply).toMatchObject({ status: 501, reason, body: withText ? reason : '' });
  expect(reply.headers['content-type']).toBeUndefined();
});

test('closing leaves no timer and no connection behind', async () => {
  cluster = await startCluster();
  const { port, ticket } = await cluster.vncproxy();
  const client = await cluster.upgrade({ port, ticket });
  await client.untilOutput('RFB');
  await cluster.fake.close();
  await client.untilEnded();
  expect(cluster.clock.pending()).toBe(0);
});
