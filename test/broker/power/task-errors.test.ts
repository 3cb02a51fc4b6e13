import { readTask, toPowerError } from '@porthole/broker/power/proxmox-power';
import { PortholeError } from '@porthole/shared/errors';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';

const upid = 'UPID:pve1:000003E8:00001234:66F0A1B2:qmstart:999:porthole@pve!broker:';

/** The state of a task that ended with this text at Proxmox. */
function endedWith(exitstatus: string) {
  const client = {
    get: async () => ({ data: { status: 'stopped', exitstatus } }),
  } as unknown as Pick<ProxmoxClient, 'get' | 'post'>;
  return readTask(client, upid);
}

describe('a task of a machine that was deleted a moment ago', () => {
  test.each([
    "Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist",
    "Configuration file 'nodes/pve1/lxc/999.conf' does not exist",
    "start failed: Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist",
    "unable to find configuration file for VM 999 on node 'pve1'",
    'unable to find configuration file for VM 999 - no such machine',
    "you can't start a vm if it's a template",
    "you can't start a CT if it's a template",
  ])('fails with machine_not_found: %s', async (message) => {
    expect(await endedWith(message)).toMatchObject({
      state: 'failed',
      error: { code: 'machine_not_found', detail: message },
    });
  });
});

test.each([
  ["storage 'local-zfs' does not exist", 'power_failed'],
  ["bridge 'vmbr7' does not exist", 'power_failed'],
  [
    "start failed: QEMU exited with code 1: Configuration file '/etc/ceph/ceph.conf' does not exist",
    'power_failed',
  ],
  ['VM 101 already running', 'machine_running'],
  ['CT 200 already running', 'machine_running'],
  ['VM 101 not running', 'machine_stopped'],
  ['CT 200 not running', 'machine_stopped'],
  ['VM is locked (backup)', 'machine_locked'],
  ["can't lock file '/var/lock/qemu-server/lock-101.conf' - got timeout", 'machine_locked'],
  ['VM quit/powerdown failed - got timeout', 'power_timeout'],
  [
    "VM 101 qmp command 'quit' failed - unable to connect to VM 101 qmp socket - timeout after 51 retries",
    'power_timeout',
  ],
  ['start failed: command failed: got timeout', 'power_timeout'],
  ['VM is paused - cannot shutdown', 'power_failed'],
  ["command 'ha-manager set vm:101 --state started' failed: exit code 255", 'power_failed'],
  ['unexpected status', 'power_failed'],
  ['unable to read tail (got 0 bytes)', 'power_failed'],
])('a task that ended with "%s" failed with %s', async (message, code) => {
  expect(await endedWith(message)).toMatchObject({ state: 'failed', error: { code, detail: message } });
});

test('a refused call of a missing machine has the same error as its task', () => {
  const missing = new PortholeError('machine_not_found');
  expect(toPowerError(missing)).toBe(missing);
  const detail = "POST /nodes/pve1/qemu/999/status/start: 500 you can't start a vm if it's a template";
  expect(toPowerError(new PortholeError('proxmox_invalid_response', { detail })).code).toBe(
    'machine_not_found',
  );
});
