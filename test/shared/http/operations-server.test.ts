import { Gauge } from 'prom-client';
import { addProcessMetrics, createRegistry } from '@porthole/shared/telemetry/metrics';
import { StartError } from '@porthole/shared/process/start-error';
import { createOperationsServer, type Readiness } from '@porthole/shared/http/operations-server';

const loopback = { host: '127.0.0.1', port: 0 };
const closing: (() => Promise<void> | undefined)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function aServer(readiness: Readiness = async () => [], registry = createRegistry()) {
  const server = createOperationsServer({ listen: loopback, registry, readiness });
  await server.start?.();
  closing.push(() => server.stop?.());
  const { port } = server.address();
  return {
    server,
    registry,
    get: (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init),
  };
}

describe('the operations port', () => {
  test('serves the liveness probe', async () => {
    const { get } = await aServer(async () => ['not yet']);
    const answer = await get('/livez');
    expect([answer.status, await answer.text()]).toEqual([200, 'ok\n']);
  });

  test('serves the readiness probe, with all reasons if the service is not ready', async () => {
    let reasons: string[] = [];
    const { get } = await aServer(async () => reasons);
    expect((await get('/readyz')).status).toBe(200);
    reasons = ['draining', 'store away'];
    const answer = await get('/readyz');
    expect([answer.status, await answer.text()]).toEqual([503, 'draining\nstore away\n']);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('shows the metrics of its own registry', async () => {
    const { get, registry } = await aServer();
    new Gauge({ name: 'porthole_test', help: 'A test.', registers: [registry] }).set(7);
    const answer = await get('/metrics');
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(await answer.text()).toContain('porthole_test 7');
  });

  test('serves process metrics after addProcessMetrics', async () => {
    const registry = createRegistry();
    addProcessMetrics(registry);
    const { get } = await aServer(undefined, registry);
    expect(await (await get('/metrics')).text()).toContain('process_cpu_user_seconds_total');
    registry.clear();
  });

  test('accepts a query, and HEAD', async () => {
    const { get } = await aServer();
    expect((await get('/readyz?verbose')).status).toBe(200);
    const answer = await get('/livez', { method: 'HEAD' });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
  });

  test('rejects other paths and methods', async () => {
    const { get } = await aServer();
    expect((await get('/')).status).toBe(404);
    expect((await get('/metrics/')).status).toBe(404);
    expect((await get('/metrics', { method: 'POST' })).status).toBe(405);
  });

  test('answers 503 if the readiness check throws', async () => {
    const { get } = await aServer(() => Promise.reject(new Error('hunter2')));
    const answer = await get('/readyz');
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toContain('hunter2');
    expect((await get('/livez')).status).toBe(200);
  });

  test('answers 500 if a metric throws', async () => {
    const { get, registry } = await aServer();
    const broken = new Gauge({ name: 'porthole_broken', help: 'Broken.', registers: [registry] });
    Object.assign(broken, { collect: () => Promise.reject(new Error('hunter2')) });
    const answer = await get('/metrics');
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('hunter2');
    expect((await get('/livez')).status).toBe(200);
  });

  test('rejects the start with the address that is in use, and names the setting', async () => {
    const { server } = await aServer();
    const { port } = server.address();
    const second = createOperationsServer({
      listen: { host: '127.0.0.1', port },
      registry: createRegistry(),
      readiness: async () => [],
    });
    const failure = second.start?.();
    await expect(failure).rejects.toBeInstanceOf(StartError);
    await expect(failure).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${port}: another program uses this address (EADDRINUSE). Stop it, or change operationsListen.`,
    );
    await second.stop?.();
  });

  test('has no address before the start and after the stop', async () => {
    const server = createOperationsServer({
      listen: loopback,
      registry: createRegistry(),
      readiness: async () => [],
    });
    expect(() => server.address()).toThrow('does not listen');
    await server.start?.();
    await server.stop?.();
    expect(() => server.address()).toThrow('does not listen');
  });

  test('closes idle connections when it stops', async () => {
    const { server, get } = await aServer();
    await (await get('/livez')).text(); // fetch keeps the connection
    await server.stop?.();
    await server.stop?.();
  });
});
