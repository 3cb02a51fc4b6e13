import { leaseNames } from '@porthole/shared/store/keys';
import { eventually } from '../../eventually.ts';
import { createFakeClock } from '../../fakes/clock.ts';
import { createBuiltinGuest } from '../../fakes/guests/builtin.ts';
import type { GuestOptions } from '../../fakes/proxmox/machines.ts';
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

describe('the session of a terminal', () => {
  test('ends when the viewer breaks the protocol, and termproxy gets none of it', async () => {
    const rig = await start();
    const client = await openTerminal(rig);
    send(client, '7 invalid');
    expect((await client.closed).code).toBe(1002);
    const other = await openTerminal(rig);
    send(other, '0:1048577:');
    expect((await other.closed).code).toBe(1009);
    expect(rig.proxmox.violations).toEqual([]);
  });

  test('forwards all output of a container that writes much at once', async () => {
    const line = `${'x'.repeat(1000)}\r\n`;
    const writer: GuestOptions = {
      vmid: 202,
      node: 'pve1',
      type: 'lxc',
      name: 'writer',
      shell({ write }) {
        for (let i = 0; i < 500; i++) write(line);
        write('over');
        return { input() {}, resize() {}, end() {} };
      },
    };
    const rig = await start({ proxmox: { guests: [...guests, writer] } });
    const client = await rig.open({ ...container, vmid: 202, machineName: 'writer' });
    await eventually('all output has arrived', () => {
      // Nothing reads the client's stream, which pauses the socket.
      client.socket.resume();
      return output(client).includes('over');
    });
    expect(output(client)).toBe(`${line.repeat(500)}over`);
  });

  test('ends when the viewer sends too much before it is open', async () => {
    const rig = await start({ proxmox: { guests, vncproxyMs: 60_000 } });
    const client = await rig.open(container);
    client.socket.on('open', () => {
      for (let i = 0; i < 40; i++) typeText(client, 'x'.repeat(2000));
    });
    expect((await client.closed).code).toBe(1009);
  });

  test('resumes at another relay when its own drains', async () => {
    const one = await start();
    const two = await start({ sharedWith: one });
    const client = await openTerminal(one, { sessionId: 'session-1' });
    await eventually('the page has a resume token', () =>
      client.messages.some(({ type }) => type === 'resume'),
    );
    const last = client.messages.findLast((message) => message.type === 'resume');
    const token = last?.type === 'resume' ? last.token : '';
    const drained = one.relay.components.find(({ name }) => name === 'consoles')?.stop?.();
    expect((await client.closed).code).toBe(1012);
    await drained;
    const resumed = two.connect({ token });
    await waitForOutput(resumed, prompt);
    typeText(resumed, 'echo back\r');
    await waitForOutput(resumed, '\r\nback\r\n');
    expect(await two.store.leases.count(leaseNames.user('student'))).toBe(1);
    resumed.close();
  });

  test('ends when the user is idle, even if the page sends pings and sizes', async () => {
    const clock = createFakeClock(Date.now());
    const rig = await start({ clock });
    const limits = { sessionSeconds: 3600, idleSeconds: 60, perUser: 9, perMachine: 9 };
    const client = await rig.open({ ...container, limits });
    await eventually('the terminal is open', () => {
      clock.advance(10);
      return output(client).includes(prompt);
    });
    let rounds = 0;
    await eventually('the session has ended', () => {
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
    const client = await openTerminal(rig);
    await guest.stop();
    expect((await client.closed).code).toBe(1000);
  });
});
