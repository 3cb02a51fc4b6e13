import { eventually } from '../../eventually.ts';
import { relayToken, type RigOptions } from '../rig.ts';
import {
  container,
  guests,
  openTerminal,
  output,
  prompt,
  send,
  typeText,
  useTerminalRigs,
  waitForOutput,
} from './terminal-rig.ts';

const start = useTerminalRigs();

const withPassword: RigOptions['cluster'] = (url, caPem) => ({
  name: 'lab',
  urls: url,
  credential: { username: 'porthole@pve', password: () => 'relay-password' },
  tls: { caFile: () => caPem },
});

describe('a terminal through the relay', () => {
  test.each([
    ['new', 'a token', undefined],
    ['new', 'a password', withPassword],
    ['old', 'a password', withPassword],
  ] as const)('opens at a %s Proxmox with %s, and forwards input and output', async (mode, _, cluster) => {
    const rig = await start({ proxmox: { guests, mode }, ...(cluster ? { cluster } : {}) });
    const client = await openTerminal(rig);
    expect(output(client)).toBe(prompt);
    typeText(client, 'echo grün\r');
    await waitForOutput(client, '\r\ngrün\r\n');
    send(client, '1:132:43:');
    typeText(client, 'stty size\r');
    await waitForOutput(client, '\r\n43 132\r\n');
    expect(rig.proxmox.violations).toEqual([]);
    client.close();
    await eventually('Proxmox has no open console', () => rig.proxmox.openConsoles() === 0);
  });

  test('tells the page each step, and that the console is open', async () => {
    const rig = await start();
    const client = await openTerminal(rig);
    await eventually('the page has a resume token', () => client.messages.length === 6);
    expect(
      client.messages.map((message) => (message.type === 'opening' ? message.step : message.type)),
    ).toEqual(['status', 'console', 'connect', 'authenticate', 'opened', 'resume']);
    client.close();
  });

  test('gets the size and the input that the viewer sent before it was open', async () => {
    const rig = await start();
    const client = await rig.open(container);
    client.socket.on('open', () => {
      send(client, '1:91:17:');
      typeText(client, 'stty size\r');
    });
    await waitForOutput(client, '\r\n17 91\r\n');
    client.close();
  });

  test('never sends the ticket to the browser', async () => {
    const rig = await start();
    const client = await openTerminal(rig);
    for (const secret of rig.proxmox.issuedSecrets()) expect(client.received().includes(secret)).toBe(false);
    expect(rig.logged.join('\n')).not.toMatch(/PVEVNC:/);
    client.close();
  });

  test('sends a plain viewer bytes and no control messages', async () => {
    const rig = await start();
    const client = rig.connect({ token: await rig.mint(container), protocols: ['binary'] });
    await waitForOutput(client, prompt);
    expect(client.messages).toEqual([]);
    client.close();
  });

  test('sends a view-only viewer the output, and drops its input and its size', async () => {
    const rig = await start();
    const client = await openTerminal(rig, { mode: 'view' });
    typeText(client, 'echo no\r');
    send(client, '1:132:43:');
    // Further input would be dropped as well, so the count of frames shows that all was processed.
    send(client, '2');
    await eventually('the messages were processed', async () =>
      (await rig.metrics()).includes('direction="to_machine"} 1\n'),
    );
    expect(output(client)).toBe(prompt);
    client.close();
  });

  test('opens the serial port of a virtual machine', async () => {
    const rig = await start();
    const client = await rig.open({ ...container, type: 'qemu', vmid: 300 });
    await waitForOutput(client, 'root@serial:~# ');
    client.close();
  });

  test('forwards a long output completely', async () => {
    const rig = await start();
    const client = await openTerminal(rig);
    // The test reads from the socket, so nothing reads the client's stream, which pauses the socket.
    client.socket.on('message', () => client.socket.resume());
    typeText(client, 'seq 100000\r');
    await waitForOutput(client, '99999\r\n100000\r\n');
    const lines = output(client).split('\r\n').slice(1, 100_001);
    expect(lines.every((line, index) => line === String(index + 1))).toBe(true);
    client.close();
  });
});

describe('a terminal that can’t be opened', () => {
  test.each([
    ['a machine that is off', { vmid: 201 }, 4409, 'not running'],
    ['a virtual machine without a serial port', { vmid: 301, type: 'qemu' as const }, 4405, 'no serial port'],
    ['a container that does not exist', { vmid: 999 }, 4404, 'does not exist'],
  ])('closes with the cause: %s', async (_, overrides, code, reason) => {
    const rig = await start();
    const client = await rig.open({ ...container, ...overrides });
    const end = await client.closed;
    expect(end.code).toBe(code);
    expect(end.reason).toContain(reason);
    expect(rig.proxmox.openConsoles()).toBe(0);
  });

  test('closes with the cause at an old Proxmox, which refuses API tokens by closing the connection', async () => {
    const rig = await start({ proxmox: { guests, mode: 'old' } });
    const client = await rig.open(container);
    expect(await client.closed).toEqual({
      code: 4502,
      reason: 'Proxmox closed the connection instead of opening the terminal.',
    });
    expect(rig.logged.join('\n')).toContain('Proxmox may be too old for terminals with API tokens');
    expect(rig.logged.join('\n')).not.toContain(relayToken.secret);
  });

  test('closes after the timeout if termproxy does not answer', async () => {
    const rig = await start({ deadlines: { firstByte: 100 } });
    rig.proxmox.stallConsole(200);
    const client = await rig.open(container);
    expect((await client.closed).code).toBe(4504);
  });
});
