import type { CallObservation } from '@porthole/shared/proxmox/metrics';
import { createFakeClock } from '../../fakes/clock.ts';
import { eventually } from '../../eventually.ts';
import { clusterConfig } from './cluster.ts';
import { createClientHarness, versionCall } from './client-harness.ts';

const { aClient, aCluster, closeAll } = createClientHarness();
afterEach(closeAll);

async function anUnavailableHost() {
  const fake = await aCluster();
  const clock = createFakeClock();
  const changes: string[] = [];
  const calls: CallObservation[] = [];
  const client = aClient(clusterConfig(fake.url('pve1'), fake.caPem), clock, {
    random: (size) => Buffer.alloc(size, 255),
    onCallCompleted: (call) => calls.push(call),
    onHostStateChange: ({ host, state }) => changes.push(`${host} ${state}`),
  });
  await fake.setNodeDown('pve1', true);
  // A GET whose connection fails is sent twice.
  for (let i = 0; i < 2; i++)
    await expect(client.get(versionCall)).rejects.toMatchObject({ code: 'proxmox_unreachable' });
  return { fake, clock, client, changes, calls, host: new URL(fake.url('pve1')).host };
}

describe('an unavailable host', () => {
  test('is not dialled until a probe; calls fail with its last failure', async () => {
    const { fake, client } = await anUnavailableHost();
    expect(client.hostStates()).toEqual(['open']);
    await fake.setNodeDown('pve1', false);
    await expect(client.get(versionCall)).rejects.toMatchObject({
      code: 'proxmox_unreachable',
      detail: expect.stringMatching(/circuit breaker is open; last failure: .*ECONNREFUSED/),
    });
    expect(fake.calls).toEqual([]);
  });

  test('that came back during a probe serves all calls, which wait for the probe', async () => {
    const { fake, clock, client, changes, host } = await anUnavailableHost();
    await fake.setNodeDown('pve1', false);
    clock.advance(1250);
    expect(client.hostStates()).toEqual(['half_open']);
    const calls = Array.from({ length: 8 }, () => client.get(versionCall));
    expect(await Promise.all(calls)).toHaveLength(8);
    expect(changes).toEqual([`${host} open`, `${host} closed`]);
    expect(client.hostStates()).toEqual(['closed']);
  });

  test('is probed without any call, by a connection that sends no request', async () => {
    const { fake, clock, client, changes, host } = await anUnavailableHost();
    await fake.setNodeDown('pve1', false);
    clock.advance(1250);
    await eventually('the probe succeeded', () => client.hostStates()[0] === 'closed');
    expect(changes).toEqual([`${host} open`, `${host} closed`]);
    expect(fake.calls).toEqual([]);
  });

  test('is no longer probed by a client that is closed', async () => {
    const { clock, client } = await anUnavailableHost();
    expect(clock.pending()).toBe(1);
    await client.close();
    expect(clock.pending()).toBe(0);
  });

  test('is not dialled for console sockets either', async () => {
    const { client, fake } = await anUnavailableHost();
    await fake.setNodeDown('pve1', false);
    const { hostname, port } = new URL(fake.url('pve1'));
    await expect(client.dial({ host: hostname, port: Number(port) })).rejects.toMatchObject({
      code: 'proxmox_unreachable',
    });
  });

  test('is reported in calls without a status', async () => {
    const { calls } = await anUnavailableHost();
    expect(new Set(calls.map(({ call, status }) => `${call} ${status}`))).toEqual(
      new Set(['version undefined']),
    );
  });
});

test('cancelled attempts do not open the circuit of a host', async () => {
  const fake = await aCluster();
  const client = aClient(clusterConfig(fake.url('pve1'), fake.caPem));
  const { hostname, port } = new URL(fake.url('pve1'));
  for (let i = 0; i < 5; i++)
    await expect(
      client.dial({ host: hostname, port: Number(port) }, AbortSignal.abort()),
    ).rejects.toMatchObject({ code: 'proxmox_timeout' });
  expect(client.hostStates()).toEqual(['closed']);
});
