import type { OnReadOpts } from 'node:net';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { noTracing } from '@porthole/shared/telemetry/tracing';
import { defaultDeadlines } from '@porthole/relay/upstream/deadlines';
import { createDial } from '@porthole/relay/upstream/dial';
import { createLeaseQueue } from '@porthole/relay/upstream/lease-queue';
import type { RelayCluster } from '@porthole/relay/upstream/machine';
import { acceptKey } from '@porthole/relay/upstream/websocket-upgrade';
import { createFakeClock } from '../../fakes/clock.ts';
import { aGrant } from '../rig.ts';
import { serverFrame } from '../websocket-frames.ts';
import { createMemorySocket } from './memory-socket.ts';

/** Lets promises settle. */
const settle = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** Dials with a Proxmox client whose connections are in memory. The test sends what Proxmox answers. */
function startDial(options: { unsolicited?: Buffer } = {}) {
  const clock = createFakeClock();
  const { leases } = createMemoryStore({ clock });
  const abort = new AbortController();
  const connections: ReturnType<typeof createConnection>[] = [];
  const client: Pick<ProxmoxClient, 'get' | 'post' | 'dial' | 'headers'> = {
    get: async () => ({ data: { status: 'running', vmid: 100, 'running-qemu': '10.0.2' } }) as never,
    post: async () => ({ data: { port: 5900, ticket: 'PVEVNC:ticket', password: 'password' } }) as never,
    async dial(_target, _signal, onread) {
      const connection = createConnection(onread);
      connections.push(connection);
      if (options.unsolicited) connection.receive(options.unsolicited);
      return connection.tlsSocket;
    },
    headers: async () => ({}),
  };
  const cluster = {
    name: 'lab',
    opensPerNode: 3,
    client,
    nodes: { hostOf: async () => ({ base: new URL('https://pve1.test:8006') }) },
  } as unknown as RelayCluster;
  const dial = createDial({
    clock,
    queue: createLeaseQueue({ leases, clock, stallMs: 60_000 }),
    deadlines: defaultDeadlines,
    tracing: noTracing,
    metrics: { openPhase() {}, queued() {}, opening() {} },
  });
  const claims = aGrant(clock);
  const dialAs = (holder: string) =>
    dial({ holder, claims, cluster, signal: abort.signal, onProgress() {}, onStep() {} });
  const dialled = dialAs('connection-1');
  dialled.catch(() => {});
  return { clock, leases, abort, connections, dialled, dialAs };
}

function createConnection(onread: OnReadOpts | undefined) {
  const { socket, tlsSocket } = createMemorySocket();
  return {
    socket,
    tlsSocket,
    receive(bytes: Buffer) {
      const buffer = onread?.buffer as Buffer;
      onread?.callback(bytes.copy(buffer), buffer);
    },
    acceptUpgrade() {
      const request = Buffer.concat(socket.written).toString('latin1');
      const key = /sec-websocket-key: (\S+)/i.exec(request)?.[1] ?? '';
      this.receive(
        Buffer.from(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`,
        ),
      );
    },
    /** Sends the server's side of the RFB handshake, up to the result of the authentication. */
    completeHandshake() {
      const handshake = Buffer.concat([
        Buffer.from('RFB 003.008\n'),
        Buffer.from([1, 2]),
        Buffer.alloc(16, 7),
        Buffer.alloc(4),
      ]);
      this.receive(serverFrame(2, handshake));
    },
  };
}

describe('a dial', () => {
  test('resolves with the link after authentication, and leaves no lease and no timer', async () => {
    const { clock, leases, connections, dialled } = startDial();
    await settle();
    connections[0]?.acceptUpgrade();
    await settle();
    expect(await leases.count('dial/lab/100')).toBe(1);
    connections[0]?.completeHandshake();
    const { link } = await dialled;
    expect(connections[0]?.socket.destroyed).toBe(false);
    expect(await leases.count('dial/lab/100')).toBe(0);
    expect(clock.pending()).toBe(0);
    link.destroy();
  });

  test('waits for another connection of the same session, because each replaces the VNC password', async () => {
    const { clock, leases, connections, dialled, dialAs } = startDial();
    const second = dialAs('connection-2');
    await settle();
    expect(await leases.count('dial/lab/100')).toBe(2);
    expect(connections).toHaveLength(1);
    connections[0]?.acceptUpgrade();
    await settle();
    connections[0]?.completeHandshake();
    (await dialled).link.destroy();
    clock.advance(1000);
    await settle();
    expect(connections).toHaveLength(2);
    connections[1]?.acceptUpgrade();
    await settle();
    connections[1]?.completeHandshake();
    (await second).link.destroy();
    expect(await leases.count('dial/lab/100')).toBe(0);
  });

  test('that is aborted right after the upgrade response arrives closes its connection', async () => {
    const { abort, connections, dialled } = startDial();
    await settle();
    connections[0]?.acceptUpgrade();
    abort.abort(new Error('the viewer left'));
    await expect(dialled).rejects.toThrow('the viewer left');
    await settle();
    expect(connections[0]?.socket.destroyed).toBe(true);
  });

  test('that is aborted right after authentication closes its connection', async () => {
    const { abort, connections, dialled } = startDial();
    await settle();
    connections[0]?.acceptUpgrade();
    await settle();
    connections[0]?.completeHandshake();
    abort.abort(new Error('the viewer left'));
    await expect(dialled).rejects.toThrow('the viewer left');
    await settle();
    expect(connections[0]?.socket.destroyed).toBe(true);
  });

  test('whose connection closes before the first byte is retried once, and leaves no timer', async () => {
    const { clock, connections, dialled } = startDial();
    for (let attempt = 0; attempt < 2; attempt++) {
      await settle();
      connections[attempt]?.acceptUpgrade();
      await settle();
      connections[attempt]?.socket.emit('close');
    }
    await expect(dialled).rejects.toMatchObject({ code: 'console_lost', detail: 'closed without a byte' });
    expect(connections).toHaveLength(2);
    expect(clock.pending()).toBe(0);
  });

  test('fails if Proxmox sends anything before the upgrade request', async () => {
    const { connections, dialled } = startDial({ unsolicited: Buffer.from('SSH-2.0-OpenSSH\r\n') });
    await expect(dialled).rejects.toMatchObject({ code: 'console_lost' });
    for (const { socket } of connections) expect(socket.destroyed).toBe(true);
  });
});
