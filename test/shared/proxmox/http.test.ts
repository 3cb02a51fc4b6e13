import { getEventListeners, once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { createFakeClock } from '../../fakes/clock.ts';
import { eventually } from '../../eventually.ts';
import { clusterConfig } from './cluster.ts';
import { createClientHarness, versionCall } from './client-harness.ts';
import { respondWithVersion } from './scripted-node.ts';

const { aClient, aClientOfACluster, aScriptedNode, closeAll } = createClientHarness();
afterEach(closeAll);

describe('a response', () => {
  test('that is too large is an invalid response', async () => {
    const chunk = Buffer.alloc(256 * 1024, ' ');
    const node = await aScriptedNode((_request, response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    });
    const client = aClient(clusterConfig(node.url, node.caPem));
    await expect(client.get(versionCall)).rejects.toMatchObject({
      code: 'proxmox_invalid_response',
      detail: expect.stringContaining('too large'),
    });
  });

  test('that does not come fails the call after its timeout', async () => {
    const { client, clock, fake } = await aClientOfACluster();
    fake.failRequests(/GET \/version/, { noAnswer: true });
    const calling = expect(client.get(versionCall)).rejects.toMatchObject({
      code: 'proxmox_timeout',
      detail: expect.stringContaining('no response within 15000 ms'),
    });
    await eventually('the request arrived', () => fake.calls.length === 1);
    clock.advance(15_000);
    await calling;
    expect(fake.calls).toHaveLength(1);
    expect(clock.pending()).toBe(0);
  });

  test('whose body stops fails the call after its timeout', async () => {
    const stopped = Promise.withResolvers<void>();
    const node = await aScriptedNode((_request, response) => {
      response.writeHead(200).write('{"data":');
      stopped.resolve();
    });
    const clock = createFakeClock();
    const client = aClient(clusterConfig(node.url, node.caPem), clock);
    const calling = expect(client.get(versionCall)).rejects.toMatchObject({ code: 'proxmox_timeout' });
    await stopped.promise;
    clock.advance(15_000);
    await calling;
    expect(clock.pending()).toBe(0);
  });

  test('is not waited for after the caller has cancelled the call', async () => {
    const { client, clock, fake } = await aClientOfACluster();
    fake.failRequests(/GET \/version/, { noAnswer: true });
    const caller = new AbortController();
    const calling = expect(client.get({ ...versionCall, signal: caller.signal })).rejects.toMatchObject({
      code: 'proxmox_timeout',
    });
    await eventually('the request arrived', () => fake.calls.length === 1);
    caller.abort();
    await calling;
    expect(clock.pending()).toBe(0);
    expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
  });

  test('leaves no listener on the signal of the caller', async () => {
    const { client } = await aClientOfACluster();
    const { signal } = new AbortController();
    await client.get({ ...versionCall, signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('a kept connection that Proxmox closes under a request', () => {
  /** Responds to the first request of a connection and closes it under the second one. */
  async function closesUnderTheSecond() {
    const used = new WeakSet<Socket>();
    const node = await aScriptedNode((request, response) => {
      if (used.has(request.socket)) request.socket.destroy();
      else respondWithVersion(response);
      used.add(request.socket);
    });
    const client = aClient(clusterConfig(node.url, node.caPem));
    await client.get(versionCall);
    await setImmediate(); // now the connection is kept
    return { node, client };
  }

  test('does not fail a GET, which is sent again', async () => {
    const { node, client } = await closesUnderTheSecond();
    expect(await client.get(versionCall)).toEqual({ data: { version: '9' } });
    expect(node.requests).toHaveLength(3);
  });

  test('fails a POST, which must not be repeated', async () => {
    const { node, client } = await closesUnderTheSecond();
    const post = { ...versionCall, host: { base: new URL(node.url) }, form: { websocket: '1' } };
    await expect(client.post(post)).rejects.toMatchObject({ code: 'proxmox_unreachable' });
    expect(node.requests).toEqual(['GET /api2/json/version', 'POST /api2/json/version']);
  });

  test('fails a GET if it happens twice', async () => {
    const node = await aScriptedNode((request) => void request.socket.destroy());
    const client = aClient(clusterConfig(node.url, node.caPem));
    await expect(client.get(versionCall)).rejects.toMatchObject({ code: 'proxmox_unreachable' });
    expect(node.requests).toHaveLength(2);
  });
});

describe('a change of the CA file', () => {
  test('lets requests end that were sent before, and closing the client ends them', async () => {
    const pending: (() => void)[] = [];
    const node = await aScriptedNode((request, response) => {
      if (request.url?.endsWith('/slow')) pending.push(() => respondWithVersion(response));
      else respondWithVersion(response);
    });
    let caPem = node.caPem;
    const client = aClient(clusterConfig(node.url, node.caPem, { tls: { caFile: () => caPem } }));
    const slow = { ...versionCall, path: '/slow' };
    const [first, second] = [client.get(slow), client.get(slow)];
    await eventually('both requests arrived', () => pending.length === 2);
    caPem = `${node.caPem}\n`;
    await client.get(versionCall);
    pending[0]?.();
    expect(await Promise.race([first, second])).toEqual({ data: { version: '9' } });
    await client.close();
    const outcomes = await Promise.allSettled([first, second]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});

test('closing the client ends connections that are being opened, with their timers', async () => {
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer((socket) => accepted.resolve(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clock = createFakeClock();
  const { port } = server.address() as AddressInfo;
  const client = aClient(clusterConfig(`https://127.0.0.1:${port}`, ''), clock);
  const calling = expect(client.get(versionCall)).rejects.toThrow();
  const socket = await accepted.promise;
  socket.on('error', () => {}).resume();
  await client.close();
  await calling;
  expect(clock.pending()).toBe(0);
  if (!socket.closed) await once(socket, 'close');
  server.close();
});
