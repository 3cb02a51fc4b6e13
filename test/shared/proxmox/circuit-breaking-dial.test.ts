import type { CallObservation } from '@porthole/shared/proxmox/metrics';
import { createFakeClock } from '../../fakes/clock.ts';
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
  test('is not dialled for a few seconds; calls fail with its last failure', async () => {
    const { fake, clock, client, changes, host } = await anUnavailableHost();
    expect(client.hostStates()).toEqual(['open']);
    await fake.setNodeDown('pve1', false);
    await expect(client.get(versionCall)).rejects.toMatchObject({
      code: 'proxmox_unreachable',
      detail: expect.stringMatching(/circuit breaker is open; last failure: .*ECONNREFUSED/),
    });
    expect(fake.calls).toEqual([]);
    clock.advance(6250);
    expect(await client.get(versionCall)).toMatchObject({ data: {} });
    expect(changes).toEqual([`${host} open`, `${host} closed`]);
    expect(client.hostStates()).toEqual(['closed']);
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
