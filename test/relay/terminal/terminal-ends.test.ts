import { closeOf, expectClose } from '../close-codes/expect-close.ts';
import { nodeAccount } from '../../fakes/proxmox/login-shell.ts';
import { relayToken } from '../rig.ts';
import { eventually } from '../../eventually.ts';
import { guests, openTerminal, send, typeText, useTerminalRigs, waitForOutput } from './terminal-rig.ts';

const start = useTerminalRigs();

/** pveproxy with one worker, which all consoles share. */
const oneWorker = { proxmox: { guests, pveproxyWorkers: 1 } };
const node = { vmid: 2, node: 'pve2', type: 'node', machineName: 'pve2', kind: 'terminal' } as const;
const nodeShells = {
  pveproxyWorkers: 1,
  guests: [],
  users: [{ userid: 'porthole@pve', password: 'relay-password', acl: { '/': ['Sys.Console', 'Sys.Audit'] } }],
  tokens: [{ tokenid: relayToken.id, secret: relayToken.secret, privsep: false }],
};

describe('a terminal whose program has ended', () => {
  test.each(['exit\r', '\x04'])('closes with 1000 and says so (%j)', async (input) => {
    const rig = await start();
    const client = await openTerminal(rig);
    typeText(client, input);
    await expectClose(rig, client, 'terminal_ended');
    expect(closeOf('terminal_ended').code).toBe(1000);
  });

  test('closes with 1000 although its connection was opened again after a lost one', async () => {
    const rig = await start();
    const first = await openTerminal(rig);
    rig.proxmox.resetConsoles(200);
    await expectClose(rig, first, 'console_lost');
    const second = await openTerminal(rig);
    typeText(second, 'exit\r');
    await expectClose(rig, second, 'terminal_ended');
  });

  test('closes with 1000 after the shell of a node', async () => {
    const rig = await start({ proxmox: nodeShells });
    const client = await rig.open(node);
    await waitForOutput(client, 'pve2 login: ');
    typeText(client, `${nodeAccount.name}\r`);
    await waitForOutput(client, 'Password: ');
    typeText(client, `${nodeAccount.password}\r`);
    await waitForOutput(client, 'root@pve2:~# ');
    typeText(client, 'exit\r');
    await expectClose(rig, client, 'terminal_ended');
  });

  test('closes with 1000 if two programs end at the same moment without input, so that no login prompt reopens forever', async () => {
    const rig = await start(oneWorker);
    const clients = [await openTerminal(rig), await openTerminal(rig)];
    rig.proxmox.dropConsoles(200);
    for (const client of clients) expect(await client.closed).toEqual(closeOf('terminal_ended'));
  });
});

describe('a terminal whose connection is lost', () => {
  test('closes with 4504 if the connection breaks', async () => {
    const rig = await start();
    const client = await openTerminal(rig);
    rig.proxmox.resetConsoles(200);
    await expectClose(rig, client, 'console_lost');
  });

  test('closes with 4504 if the pveproxy worker dies that has several consoles, if the user has typed', async () => {
    const rig = await start(oneWorker);
    const clients = [await openTerminal(rig), await openTerminal(rig)];
    for (const client of clients) {
      typeText(client, 'x');
      await waitForOutput(client, '# x');
    }
    rig.proxmox.killWorker('pve1');
    for (const client of clients) expect(await client.closed).toEqual(closeOf('console_lost'));
  });

  test('closes with 4504 if the node does not answer any more', async () => {
    const rig = await start();
    const client = await openTerminal(rig);
    await rig.proxmox.setNodeDown('pve1', true);
    await expectClose(rig, client, 'console_lost');
  });

  test('closes with 4504 if the pveproxy of a node with an open shell stops, although the cluster calls it online', async () => {
    const rig = await start({ proxmox: nodeShells });
    const client = await rig.open(node);
    await waitForOutput(client, 'pve2 login: ');
    rig.proxmox.failRequests(/^GET \/version$/, { status: 595, message: 'Connection refused' });
    rig.proxmox.killWorker('pve2');
    await expectClose(rig, client, 'console_lost');
  });

  test('closes with 1000 for the machine if that has stopped, and with 4404 if it has moved', async () => {
    const rig = await start();
    const moved = await openTerminal(rig);
    rig.proxmox.migrate(200, 'pve2');
    await expectClose(rig, moved, 'machine_not_found');
    rig.proxmox.migrate(200, 'pve1');
    const stopped = await openTerminal(rig);
    send(stopped, '2');
    rig.proxmox.removeGuest(200);
    await expectClose(rig, stopped, 'machine_not_found');
    await eventually('Proxmox has no open console', () => rig.proxmox.openConsoles() === 0);
  });
});
