import { WebSocket } from 'ws';
import { systemClock } from '@porthole/shared/time/clock';
import { createBuiltinGuest } from '../guests/builtin.ts';
import { vncResponse } from '../guests/vnc-des.ts';
import { byToken, startCluster, type Cluster } from './test-kit.ts';
import { until } from './watched-clock.ts';

let cluster: Cluster;
afterEach(() => cluster.fake.close());

test.each(['new', 'old'] as const)(
  'an ordinary WebSocket client logs in to the VNC server behind a %s Proxmox',
  async (mode) => {
    const guest = createBuiltinGuest({ name: 'alpha' });
    const guests = [{ vmid: 100, node: 'pve1', name: 'alpha', guest }];
    cluster = await startCluster({ clock: systemClock, mode, guests });
    const { port, ticket, password = ticket.slice(0, 8) } = await cluster.vncproxy();

    const query = `port=${port}&vncticket=${encodeURIComponent(ticket)}`;
    const url = `${cluster.fake.url()}/api2/json/nodes/pve1/qemu/100/vncwebsocket?${query}`;
    const socket = new WebSocket(url.replace('https', 'wss'), 'binary', {
      ca: cluster.fake.caPem,
      headers: byToken,
    });
    let received = Buffer.alloc(0);
    let closeCode: number | undefined;
    socket.on('message', (bytes: Buffer) => (received = Buffer.concat([received, bytes])));
    socket.on('close', (code) => (closeCode = code));
    const take = async (length: number) => {
      await until(() => received.length >= length);
      const taken = received.subarray(0, length);
      received = received.subarray(length);
      return taken;
    };

    expect((await take(12)).toString()).toBe('RFB 003.008\n');
    socket.send('RFB 003.008\n');
    expect(await take(2)).toEqual(Buffer.from([1, 2]));
    socket.send(Buffer.from([2]));
    socket.send(vncResponse(password, await take(16)));
    expect((await take(4)).readUInt32BE()).toBe(0);
    expect(socket.protocol).toBe('binary');

    await guest.stop();
    await until(() => closeCode !== undefined);
    expect(closeCode).toBe(1006);
  },
);
