import { leaseNames } from '@porthole/shared/store/keys';
import { createFakeClock } from '../../fakes/clock.ts';
import { createRealShell } from '../../fakes/guests/real-shell.ts';
import { createBuiltinGuest } from '../../fakes/guests/builtin.ts';
import type { GuestOptions } from '../../fakes/proxmox/machines.ts';
import { eventually } from '../../eventually.ts';
import { describeWith } from '../../needs.ts';
import type { ConsoleClient } from '../console-client.ts';
import { createRelayRig, relayToken, type RelayRig, type RigOptions } from '../rig.ts';

const prompt = 'root@box:~# ';
const container = { vmid: 200, type: 'lxc', machineName: 'box', kind: 'terminal' } as const;

const guests: readonly GuestOptions[] = [
  { vmid: 200, node: 'pve1', type: 'lxc', name: 'box' },
  { vmid: 201, node: 'pve1', type: 'lxc', name: 'off', running: false },
  { vmid: 300, node: 'pve1', type: 'qemu', name: 'serial', terminal: true },
  { vmid: 301, node: 'pve1', type: 'qemu', name: 'no-serial' },
];

const rigs: RelayRig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0).toReversed()) await rig.stop();
});

async function start(options: RigOptions = {}): Promise<RelayRig> {
  const rig = await createRelayRig({ ...options, proxmox: { guests, ...options.proxmox } });
  rigs.push(rig);
  return rig;
}

/** What the terminal wrote, beside the control messages. */
const output = (client: ConsoleClient) =>
  client
    .received()
    .toString()
    .replaceAll(/\{"type":[^}]*\}/g, '');
const says = (client: ConsoleClient, text: string) =>
  eventually(`it says ${text}`, () => output(client).includes(text));
const send = (client: ConsoleClient, text: string) => client.socket.send(Buffer.from(text));
const type = (client: ConsoleClient, text: string) => send(client, `0:${Buffer.byteLength(text)}:${text}`);

async function open(rig: RelayRig, different: Parameters<RelayRig['open']>[0] = {}) {
  const client = await rig.open({ ...container, ...different });
  await says(client, prompt);
  return client;
}

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
  ] as const)(
    'opens at a %s Proxmox with %s, and carries what is typed and said',
    async (mode, _, cluster) => {
      const rig = await start({ proxmox: { guests, mode }, ...(cluster ? { cluster } : {}) });
      const client = await open(rig);
      expect(output(client)).toBe(prompt);
      type(client, 'echo grün\r');
      await says(client, '\r\ngrün\r\n');
      send(client, '1:132:43:');
      type(client, 'stty size\r');
      await says(client, '\r\n43 132\r\n');
      expect(rig.proxmox.violations).toEqual([]);
      client.close();
      await eventually('it is gone at Proxmox', () => rig.proxmox.openConsoles() === 0);
    },
  );

  test('tells the page each step, and that it is open', async () => {
    const rig = await start();
    const client = await open(rig);
    await eventually('it has a token to come back with', () => client.messages.length === 6);
    expect(
      client.messages.map((message) => (message.type === 'opening' ? message.step : message.type)),
    ).toEqual(['status', 'console', 'connect', 'authenticate', 'opened', 'resume']);
    client.close();
  });

  test('hears the size and what was typed before it was open', async () => {
    const rig = await start();
    const client = await rig.open(container);
    client.socket.on('open', () => {
      send(client, '1:91:17:');
      type(client, 'stty size\r');
    });
    await says(client, '\r\n17 91\r\n');
    client.close();
  });

  test('never shows the ticket to the browser', async () => {
    const rig = await start();
    const client = await open(rig);
    for (const secret of rig.proxmox.issuedSecrets()) expect(client.received().includes(secret)).toBe(false);
    expect(rig.logged.join('\n')).not.toMatch(/PVEVNC:/);
    client.close();
  });

  test('gives a plain viewer bytes and nothing else', async () => {
    const rig = await start();
    const client = rig.connect({ token: await rig.mint(container), protocols: ['binary'] });
    await says(client, prompt);
    expect(client.messages).toEqual([]);
    client.close();
  });

  test('shows a view-only viewer what happens, and drops what it types and how large it is', async () => {
    const rig = await start();
    const client = await open(rig, { mode: 'view' });
    type(client, 'echo no\r');
    send(client, '1:132:43:');
    // What is typed behind it is dropped as well, so a sign of life must be enough to see that it was read.
    send(client, '2');
    await eventually('the sign of life has passed', async () =>
      (await rig.metrics()).includes('direction="to_machine"} 1\n'),
    );
    expect(output(client)).toBe(prompt);
    client.close();
  });

  test('opens the serial port of a virtual machine', async () => {
    const rig = await start();
    const client = await rig.open({ ...container, type: 'qemu', vmid: 300 });
    await says(client, 'root@serial:~# ');
    client.close();
  });

  test('carries a lot of output whole', async () => {
    const rig = await start();
    const client = await open(rig);
    // Read as fast as it comes.
    client.socket.on('message', () => client.socket.resume());
    type(client, 'seq 100000\r');
    await says(client, '99999\r\n100000\r\n');
    const lines = output(client).split('\r\n').slice(1, 100_001);
    expect(lines.every((line, index) => line === String(index + 1))).toBe(true);
    client.close();
  });
});

describe('a terminal that can’t be opened', () => {
  test.each([
    ['a machine that is off', { vmid: 201 }, 4409, 'not running'],
    ['a virtual machine without a serial port', { vmid: 301, type: 'qemu' as const }, 4502, 'no serial port'],
    ['a container that does not exist', { vmid: 999 }, 4404, 'does not exist'],
  ])('%s is said plainly', async (_, different, code, words) => {
    const rig = await start();
    const client = await rig.open({ ...container, ...different });
    const end = await client.closed;
    expect(end.code).toBe(code);
    expect(end.reason).toContain(words);
    expect(rig.proxmox.openConsoles()).toBe(0);
  });

  test('an old Proxmox that knows no tokens here hangs up, which is said plainly', async () => {
    const rig = await start({ proxmox: { guests, mode: 'old' } });
    const client = await rig.open(container);
    expect(await client.closed).toEqual({
      code: 4502,
      reason: 'Proxmox closed the connection instead of opening the terminal.',
    });
    expect(rig.logged.join('\n')).toContain('Proxmox may be too old for terminals with tokens');
    expect(rig.logged.join('\n')).not.toContain(relayToken.secret);
  });

  test('a termproxy that never answers is given up', async () => {
    const rig = await start({ deadlines: { firstByte: 100 } });
    rig.proxmox.stallConsole(200);
    const client = await rig.open(container);
    expect((await client.closed).code).toBe(4504);
  });
});

describe('a terminal is a console like any other', () => {
  test('a hostile viewer is closed, and termproxy hears nothing of it', async () => {
    const rig = await start();
    const client = await open(rig);
    send(client, '7 nonsense');
    expect((await client.closed).code).toBe(1002);
    const other = await open(rig);
    send(other, '0:1048577:');
    expect((await other.closed).code).toBe(1009);
    expect(rig.proxmox.violations).toEqual([]);
  });

  test('a container that talks at once and without end loses none of it, and ends nothing', async () => {
    const line = `${'x'.repeat(1000)}\r\n`;
    const talker: GuestOptions = {
      vmid: 202,
      node: 'pve1',
      type: 'lxc',
      name: 'talker',
      shell({ write }) {
        for (let said = 0; said < 500; said++) write(line);
        write('over');
        return { input() {}, resize() {}, end() {} };
      },
    };
    const rig = await start({ proxmox: { guests: [...guests, talker] } });
    const client = await rig.open({ ...container, vmid: 202, machineName: 'talker' });
    await eventually('all of it is there', () => {
      // Nobody reads the client's stream, so it pauses itself.
      client.socket.resume();
      return output(client).includes('over');
    });
    expect(output(client)).toBe(`${line.repeat(500)}over`);
  });

  test('too much before it is open ends it', async () => {
    const rig = await start({ proxmox: { guests, vncproxyMs: 60_000 } });
    const client = await rig.open(container);
    client.socket.on('open', () => {
      for (let i = 0; i < 40; i++) type(client, 'x'.repeat(2000));
    });
    expect((await client.closed).code).toBe(1009);
  });

  test('goes on at another relay when its own is drained, as the same session', async () => {
    const one = await start();
    const two = await start({ beside: one });
    const client = await open(one, { sessionId: 'session-1' });
    await eventually('it has a token', () => client.messages.some(({ type: kind }) => kind === 'resume'));
    const last = client.messages.findLast((message) => message.type === 'resume');
    const token = last?.type === 'resume' ? last.token : '';
    const drained = one.relay.components.find(({ name }) => name === 'consoles')?.stop?.();
    expect((await client.closed).code).toBe(1012);
    await drained;
    const back = two.connect({ token });
    await says(back, prompt);
    type(back, 'echo back\r');
    await says(back, '\r\nback\r\n');
    expect(await two.store.leases.count(leaseNames.user('student'))).toBe(1);
    back.close();
  });

  test('ends when nobody types, whatever its page sends by itself', async () => {
    const clock = createFakeClock(Date.now());
    const rig = await start({ clock });
    const limits = { sessionSeconds: 3600, idleSeconds: 60, perUser: 9, perMachine: 9 };
    const client = await rig.open({ ...container, limits });
    await clockUntil(clock, () => output(client).includes(prompt));
    let rounds = 0;
    await eventually('it ended', () => {
      if (client.socket.readyState !== client.socket.OPEN) return true;
      send(client, '21:80:24:');
      clock.advance(1000);
      rounds += 1;
      return false;
    });
    expect((await client.closed).code).toBe(4408);
    expect(rounds).toBeGreaterThan(50);
  });

  test('ends with the machine', async () => {
    const guest = createBuiltinGuest({ name: 'box' });
    const rig = await start({
      proxmox: { guests: [{ vmid: 200, node: 'pve1', type: 'lxc', name: 'box', guest }] },
    });
    const client = await open(rig);
    await guest.stop();
    expect((await client.closed).code).toBe(1000);
  });
});

describeWith('bash')('a real shell', () => {
  test('runs programs that look at the size and take control keys', async () => {
    const rig = await start({
      proxmox: { guests: [{ vmid: 200, node: 'pve1', type: 'lxc', name: 'box', shell: createRealShell }] },
    });
    const client = await rig.open(container);
    // What is typed while a program runs is echoed twice, or thrown away by Ctrl-C: so one thing after the other.
    const ready = () => output(client).endsWith('real$ ');
    const run = async (line: string, result: string) => {
      await eventually('the prompt is there', ready);
      const before = output(client).length;
      type(client, `${line}\r`);
      await eventually(`${line} was run`, () => output(client).length > before + line.length && ready());
      return output(client).slice(before).includes(result);
    };
    expect(await run('printf "%s-%s\\n" grün "$((6*7))"', 'grün-42\r\n')).toBe(true);
    send(client, '1:101:33:');
    await eventually('the size has arrived', () => run('stty size', '33 101\r\n'));
    type(client, 'cat\r');
    await says(client, 'cat\r\n\x1b[?2004l\r');
    type(client, 'twice\r');
    await says(client, 'twice\r\ntwice\r\n');
    type(client, '\x03');
    expect(await run('echo $((1000+337))', '1337\r\n')).toBe(true);
    type(client, 'exit\r');
    expect((await client.closed).code).toBe(4504);
  });
});

/** Lets deadlines and pauses of the relay pass until something is so. */
async function clockUntil(clock: ReturnType<typeof createFakeClock>, so: () => boolean): Promise<void> {
  await eventually('it is so', () => {
    clock.advance(10);
    return so();
  });
}
