import { callNameOf } from '@porthole/shared/proxmox/call-name';

test.each([
  ['/cluster/resources?type=vm', 'resources'],
  ['/nodes/pve1/qemu/100/status/current', 'machine_status'],
  ['/nodes/pve1/lxc/100/vncproxy', 'console'],
  ['/nodes/pve1/qemu/100/status/shutdown', 'power'],
  ['/nodes/pve1/tasks/UPID:pve1:0:0:0:qmstart:100:a@pve:/status', 'task'],
  ['/access/ticket', 'sign_in'],
  ['/access/permissions?path=/vms/100', 'permissions'],
  ['/cluster/status', 'cluster_status'],
  ['/version', 'version'],
  ['/nodes/pve1/qemu/100/config', 'other'],
])('the metrics count a call of %s as %s', (path, name) => {
  expect(callNameOf(path)).toBe(name);
});
