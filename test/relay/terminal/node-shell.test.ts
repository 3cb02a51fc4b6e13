import { eventually } from '../../eventually.ts';
import { nodeAccount } from '../../fakes/proxmox/login-shell.ts';
import type { ConsoleClient } from '../console-client.ts';
import { createRelayRig, relayToken, type RelayRig, type RigOptions } from '../rig.ts';

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

const says = (client: ConsoleClient, text: string) =>
  eventually(`it says ${text}`, () => client.received().includes(text));
const type = (client: ConsoleClient, text: string) =>
  client.socket.send(Buffer.from(`0:${text.length}:${text}`));

const as =
  (username: string, password: string): NonNullable<RigOptions['cluster']> =>
  (url, caPem) => ({
    name: 'lab',
    urls: url,
    credential: { username, password: () => password },
    tls: { caFile: () => caPem },
  });

describe('the shell of a node through the relay', () => {
  test('asks who it is, and carries what is typed and said', async () => {
    await start();
    const client = await rig.open(node);
    await says(client, 'pve2 login: ');
    type(client, `${nodeAccount.name}\r`);
    await says(client, 'Password: ');
    type(client, `${nodeAccount.password}\r`);
    await says(client, 'root@pve2:~# ');
    expect(client.received().includes(nodeAccount.password)).toBe(false);
    expect(rig.proxmox.violations).toEqual([]);
    expect(rig.proxmox.calls.filter(({ path }) => path.endsWith('/termproxy'))).toMatchObject([
      { node: 'pve2', path: '/api2/json/nodes/pve2/termproxy', status: 200 },
    ]);
    client.close();
    await eventually('it is gone at Proxmox', () => rig.proxmox.openConsoles() === 0);
  });

  test('is a shell at once for root@pam, as Proxmox has it', async () => {
    await start({ cluster: as('root@pam', 'root-password') });
    const client = await rig.open(node);
    await says(client, 'root@pve2:~# ');
    client.close();
  });

  test('needs Sys.Console, and says that a permission is missing', async () => {
    await start();
    rig.proxmox.setAcl('porthole@pve', { '/': ['Sys.Audit'] });
    const client = await rig.open(node);
    expect((await client.closed).reason).toBe("Porthole's Proxmox account lacks a permission.");
    expect(rig.logged.join('\n')).toContain('(/nodes/pve2, Sys.Console)');
  });

  test('says that the node is off, and that there is no such node', async () => {
    await start();
    await rig.proxmox.setNodeDown('pve2', true);
    const off = await rig.open(node);
    expect((await off.closed).code).toBe(4409);
    const unknown = await rig.open({ ...node, vmid: 3, node: 'pve3' });
    expect((await unknown.closed).code).toBe(4404);
  });

  test('of an old Proxmox is not for tokens, and that is said', async () => {
    await start({ proxmox: { mode: 'old' } });
    const client = await rig.open(node);
    expect((await client.closed).reason).toBe(
      'Proxmox closed the connection instead of opening the terminal.',
    );
  });
});
