import {
  clusterStatusResponse,
  resourcesResponse,
  taskStatusResponse,
} from '@porthole/shared/proxmox/responses';
import { z } from 'zod';
import { createFakeClock } from '../../fakes/clock.ts';
import { account, byPassword, clusterConfig, token } from './cluster.ts';
import { createClientHarness, signInsOf, versionCall } from './client-harness.ts';

const { aClient, aCluster, aClientOfACluster, closeAll } = createClientHarness();
afterEach(closeAll);

describe('a call to Proxmox', () => {
  test('with a token returns the parsed response', async () => {
    const { client, fake } = await aClientOfACluster();
    expect(await client.get(versionCall)).toMatchObject({ data: { version: '9.2.11' } });
    expect(fake.calls).toMatchObject([{ method: 'GET', user: token.tokenid, status: 200 }]);
  });

  test('with a password signs in first, once for concurrent calls, and can send a POST', async () => {
    const { client, fake } = await aClientOfACluster({ config: byPassword });
    await Promise.all(Array.from({ length: 10 }, () => client.get(versionCall)));
    expect(signInsOf(fake)).toBe(1);
    const host = { base: new URL(fake.url('pve1')), nodeName: 'pve1' };
    const path = '/nodes/pve1/qemu/100/status/stop';
    await client.post({ path, schema: z.object({ data: z.string() }), host, form: {} });
    expect(fake.calls.at(-1)).toMatchObject({ method: 'POST', user: account.userid, status: 200 });
  });

  test('signs in once more if Proxmox refuses the ticket, and only then', async () => {
    const { client, fake } = await aClientOfACluster({ config: byPassword });
    await client.get(versionCall);
    fake.rotateKey();
    expect(await client.get(versionCall)).toMatchObject({ data: {} });
    expect(signInsOf(fake)).toBe(2);
    const host = { base: new URL(fake.url('pve1')), nodeName: 'pve1' };
    fake.rotateKey();
    const path = '/nodes/pve1/qemu/100/status/stop';
    await client.post({ path, schema: z.object({ data: z.string() }), host, form: {} });
    expect(signInsOf(fake)).toBe(3);
  });

  test('signs in only once more if Proxmox also refuses the new ticket', async () => {
    const { client, fake } = await aClientOfACluster({ config: byPassword });
    fake.failRequests(/GET \/version/, { status: 401, message: 'no' });
    await expect(client.get(versionCall)).rejects.toMatchObject({ code: 'proxmox_credential' });
    expect(signInsOf(fake)).toBe(2);
  });

  test('signs in again after the CA file changed', async () => {
    const fake = await aCluster();
    let caPem = fake.caPem;
    const config = { ...byPassword, tls: { caFile: () => caPem } };
    const client = aClient(clusterConfig(fake.url(), fake.caPem, config));
    await client.get(versionCall);
    await client.get(versionCall);
    expect(signInsOf(fake)).toBe(1);
    caPem = `${fake.caPem}\n`;
    await client.get(versionCall);
    expect(signInsOf(fake)).toBe(2);
  });

  test('fails with proxmox_credential if the password is wrong or the account requires a second factor', async () => {
    const wrong = { credential: { username: account.userid, password: () => 'wrong' } };
    const { client } = await aClientOfACluster({ config: wrong });
    await expect(client.get(versionCall)).rejects.toMatchObject({ code: 'proxmox_credential' });
    const withTotp = { users: [{ ...account, totp: '123456', acl: {} }] };
    const second = await aClientOfACluster({ config: byPassword, cluster: withTotp });
    await expect(second.client.get(versionCall)).rejects.toMatchObject({
      code: 'proxmox_credential',
      detail: expect.stringContaining('second factor'),
    });
  });

  test('with a wrong token is sent only once', async () => {
    const credential = { token: token.tokenid, secret: () => 'wrong' };
    const { client, fake } = await aClientOfACluster({ config: { credential } });
    await expect(client.get(versionCall)).rejects.toMatchObject({ code: 'proxmox_credential' });
    expect(fake.calls).toHaveLength(1);
  });

  test('is not sent if the caller has cancelled it', async () => {
    const { client, clock, fake } = await aClientOfACluster();
    const signal = AbortSignal.abort();
    const form = { websocket: '1' };
    for (const call of [
      client.get({ ...versionCall, signal }),
      client.post({ ...versionCall, form, signal }),
    ])
      await expect(call).rejects.toMatchObject({ code: 'proxmox_timeout' });
    expect(fake.calls).toEqual([]);
    expect(clock.pending()).toBe(0);
  });

  test('that ends is reported with its status, or without one if there was no response', async () => {
    const fake = await aCluster();
    const reported: string[] = [];
    const client = aClient(clusterConfig(fake.url('pve1'), fake.caPem), createFakeClock(), {
      onCallCompleted: ({ call, status }) => reported.push(`${call} ${status}`),
    });
    await client.get(versionCall);
    await client.get({ path: '/cluster/status', schema: clusterStatusResponse });
    await fake.setNodeDown('pve1', true);
    // A GET whose connection fails is sent twice.
    await expect(client.get(versionCall)).rejects.toThrow();
    expect(reported).toEqual(['version 200', 'cluster_status 200', 'version undefined', 'version undefined']);
  });
});

describe('a response', () => {
  test('with two Connection headers is read, and the next call is not lost', async () => {
    const { client, fake } = await aClientOfACluster();
    const status = { path: '/cluster/status', schema: clusterStatusResponse };
    for (let call = 1; call <= 5; call++) {
      expect((await client.get(status)).data).toHaveLength(3);
      expect(await client.get(versionCall)).toMatchObject({ data: {} });
    }
    await Promise.all(Array.from({ length: 10 }, () => client.get(status)));
    expect(fake.calls).toHaveLength(20);
  });

  test('is not asked for compressed, so a long list is read as it is', async () => {
    const guests = Array.from({ length: 300 }, (_, i) => ({ vmid: 100 + i, node: 'pve1', name: `lab-${i}` }));
    const { client } = await aClientOfACluster({ cluster: { guests } });
    const { data } = await client.get({ path: '/cluster/resources?type=vm', schema: resourcesResponse });
    expect(data).toHaveLength(300);
    expect(data[299]).toMatchObject({ vmid: 399, name: 'lab-299', status: 'running' });
  });

  test('about a machine without a known status has neither a name nor whether it is a template', async () => {
    const { client, fake } = await aClientOfACluster();
    await fake.setNodeDown('pve2', true);
    await fake.addGuest({ vmid: 200, node: 'pve2', name: 'lost', running: false });
    const { data } = await client.get({ path: '/cluster/resources?type=vm', schema: resourcesResponse });
    expect(data[1]).toEqual({ vmid: 200, type: 'qemu', node: 'pve2', status: 'unknown' });
  });

  test('400 is an invalid response with the reason of Proxmox', async () => {
    const { client } = await aClientOfACluster();
    const path = '/nodes/pve1/tasks/UPID:nonsense/status';
    await expect(client.get({ path, schema: taskStatusResponse })).rejects.toMatchObject({
      code: 'proxmox_invalid_response',
      detail: `GET ${path}: 400 Parameter verification failed.`,
    });
  });
});
