import { createClientHarness, versionCall } from './client-harness.ts';

const { aClientOfACluster, closeAll } = createClientHarness();
afterEach(closeAll);

const responses: readonly [status: number, reason: string, code: string][] = [
  [400, 'Parameter verification failed.', 'proxmox_invalid_response'],
  [401, 'Authentication failed!', 'proxmox_credential'],
  [403, 'Permission check failed (/vms/100, VM.Console)', 'proxmox_permission'],
  [500, "Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist", 'machine_not_found'],
  [500, "unable to find configuration file for VM 100 on node 'pve1'", 'machine_not_found'],
  [500, "storage 'local-zfs' does not exist", 'proxmox_invalid_response'],
  [500, "hostname lookup 'pve9' failed - failed to get address info", 'machine_not_found'],
  [500, 'got no worker upid - start worker failed', 'proxmox_invalid_response'],
  [501, "Method 'GET /x' not implemented", 'proxmox_invalid_response'],
  [595, 'No route to host', 'proxmox_unreachable'],
  [596, 'Connection timed out', 'proxmox_unreachable'],
  [599, 'Too many redirections', 'proxmox_unreachable'],
  [302, 'Moved', 'proxmox_invalid_response'],
];

test.each(responses)(
  'the response %d %s fails with %s and its reason in the detail',
  async (status, reason, code) => {
    const { client, fake } = await aClientOfACluster();
    fake.failRequests(/GET \/version/, { status, message: reason });
    await expect(client.get(versionCall)).rejects.toMatchObject({
      code,
      detail: `GET /version: ${status} ${reason}`,
    });
    expect(fake.calls).toHaveLength(1);
  },
);

test.each(['<html>', '', 'null', '[]', '{"data":{}}', '{"data":{"version":9}}', '{"data":'])(
  'the body %j with status 200 is an invalid response',
  async (body) => {
    const { client, fake } = await aClientOfACluster();
    fake.failRequests(/GET \/version/, { body });
    await expect(client.get(versionCall)).rejects.toMatchObject({ code: 'proxmox_invalid_response' });
  },
);
