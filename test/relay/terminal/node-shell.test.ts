import { eventually } from '../../eventually.ts';
import { nodeAccount } from '../../fakes/proxmox/login-shell.ts';
import { createRelayRig, relayToken, type RelayRig, type RigOptions } from '../rig.ts';
import { typeText, waitForOutput } from './terminal-rig.ts';

const node = { vmid: 2, node: 'pve2', type: 'node', machineName: 'pve2', kind: 'terminal' } as const;
const users = [
  { userid: 'porthole@pve', password: 'relay-password', acl: { '/': ['Sys.Console', 'Sys.Audit'] } },
  { userid: 'root@pam', password: 'root-password' },
];

let rig: RelayRig;
afterEach(() => rig.stop());

async function start(options: RigOptions = {}): Promise<void> {
  rig = await createRelayRig({
    ...options,
    proxmox: {
      guests: [],
      users,
      tokens: [{ tokenid: relayToken.id, secret: relayToken.secret, privsep: false }],
      unauthorizedDelayMs: 20,
      ...options.proxmox,
    },
  });
}

const withPassword =
  (username: string, password: string): NonNullable<RigOptions['cluster']> =>
  (url, caPem) => ({
    name: 'lab',
    urls: url,
    credential: { username, password: () => password },
    tls: { caFile: () => caPem },
  });

describe('the shell of a node through the relay', () => {
  test('asks for a login, and forwards input and output', async () => {
    await start();
    const client = await rig.open(node);
    await waitForOutput(client, 'pve2 login: ');
    typeText(client, `${nodeAccount.name}\r`);
    await waitForOutput(client, 'Password: ');
    typeText(client, `${nodeAccount.password}\r`);
    await waitForOutput(client, 'root@pve2:~# ');
    expect(client.received().includes(nodeAccount.password)).toBe(false);
    expect(rig.proxmox.violations).toEqual([]);
    expect(rig.proxmox.calls.filter(({ path }) => path.endsWith('/termproxy'))).toMatchObject([
      { node: 'pve2', path: '/api2/json/nodes/pve2/termproxy', status: 200 },
    ]);
    client.close();
    await eventually('Proxmox has no open console', () => rig.proxmox.openConsoles() === 0);
  });

  test('needs no login if the relay’s account is root@pam, as in Proxmox', async () => {
    await start({ cluster: withPassword('root@pam', 'root-password') });
    const client = await rig.open(node);
    await waitForOutput(client, 'root@pve2:~# ');
    client.close();
  });

  test('closes with the cause if the account lacks Sys.Console', async () => {
    await start();
    rig.proxmox.setAcl('porthole@pve', { '/': ['Sys.Audit'] });
    const client = await rig.open(node);
    expect((await client.closed).reason).toBe("Porthole's Proxmox account lacks a permission.");
    expect(rig.logged.join('\n')).toContain('(/nodes/pve2, Sys.Console)');
  });

  test('closes with the cause if the node is offline or does not exist', async () => {
    await start();
    await rig.proxmox.setNodeDown('pve2', true);
    const offline = await rig.open(node);
    expect((await offline.closed).code).toBe(4409);
    const unknown = await rig.open({ ...node, vmid: 3, node: 'pve3' });
    expect((await unknown.closed).code).toBe(4404);
  });

  test('closes with the cause at an old Proxmox, which refuses API tokens', async () => {
    await start({ proxmox: { mode: 'old' } });
    const client = await rig.open(node);
    expect((await client.closed).reason).toBe(
      'Proxmox closed the connection instead of opening the terminal.',
    );
  });
});
