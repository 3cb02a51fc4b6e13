import { createConsoleSignals } from '@porthole/shared/session/signals';
import { createTerminationOrders } from '@porthole/shared/session/termination-orders';
import { randomId, systemRandom } from '@porthole/shared/crypto/random';
import { closeCodes } from '@porthole/shared/protocol/close-codes';
import { mintGrant } from '@porthole/shared/grant/grant';
import type { Store } from '@porthole/shared/store/ports';
import { sleep, systemClock } from '@porthole/shared/time/clock';
import type { FakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';
import { randomChunks } from '../relay/chunks.ts';
import { connectConsole, type ConsoleClient } from '../relay/console-client.ts';
import { openRawWebSocket, type RawWebSocket } from '../relay/raw-websocket.ts';
import { aGrant, grantKey, testOrigin } from '../relay/rig.ts';
import type { SeededRandom } from '../relay/seeded-random.ts';
import { binaryFrame, clientFrame } from '../relay/websocket-frames.ts';
import { openSocket, sendRaw, upgradeLines, whenClosed } from './raw-http.ts';

export interface SoakDeps {
  readonly port: number;
  readonly store: Store;
  readonly proxmox: FakeProxmox;
  readonly machines: readonly { readonly vmid: number; readonly node: string }[];
  readonly random: SeededRandom;
}

/** One client from its connection to its end. Rejects only if an honest client was treated badly. */
export type SoakClient = () => Promise<void>;

const version = Buffer.from('RFB 003.008\n\x01', 'latin1');
const clientInit = Buffer.from([1]);
const updateRequest = Buffer.from([3, 0, 0, 0, 0, 0, 0, 8, 0, 8]);
const close = clientFrame({ opcode: 8, payload: Buffer.from([3, 232]) });

/** Honest and hostile clients of a relay, by what they do. */
export function createSoakClients(deps: SoakDeps): Readonly<Record<string, SoakClient>> {
  const { port, store, random } = deps;
  const keys = () => [grantKey];
  const common = { keys, random: systemRandom, clock: systemClock };
  const url = `ws://127.0.0.1:${port}/relay/v1/console`;
  const orders = createTerminationOrders({
    records: store.records,
    signals: createConsoleSignals({ bus: store.signals, ...common }),
    ...common,
  });

  /** The last machine is the one whose consoles break. */
  const [broken, ...machines] = deps.machines.toReversed();
  const mint = (sessionId = randomId(systemRandom), machine = machines[random(machines.length)]) => {
    const limits = { sessionSeconds: 3600, idleSeconds: 3600, perUser: 1000, perMachine: 1000 };
    return mintGrant(
      { records: store.records, ...common },
      aGrant(systemClock, { ...machine, sessionId, limits }),
    );
  };
  const connect = (token: string): ConsoleClient => connectConsole({ url, token, origin: testOrigin });
  const raw = async (): Promise<RawWebSocket> =>
    openRawWebSocket(url.replace('ws:', 'http:'), { token: await mint(), origin: testOrigin });
  /** Works with the console as a person does. Rejects if it is not usable. */
  async function use(client: ConsoleClient): Promise<void> {
    const rfb = await client.rfb();
    for (let i = 0; i < 3; i++) {
      rfb.requestUpdate(false);
      await rfb.nextUpdate();
    }
    rfb.pointer(10, 10, 0);
  }
  /** Works with the console, and resumes where the relay says so, for example because another viewer has come. */
  async function work(client: ConsoleClient): Promise<ConsoleClient> {
    for (let current = client; ;) {
      try {
        await use(current);
        return current;
      } catch (error) {
        const { code } = await current.closed;
        if (code !== closeCodes.moving.code) throw error;
        current = connect(await tokenOf(current));
      }
    }
  }
  async function leave(client: ConsoleClient): Promise<void> {
    client.close();
    await client.closed;
  }
  /** The newest one. */
  const tokenOf = async (client: ConsoleClient): Promise<string> => {
    for (;;) {
      const found = client.messages.findLast((message) => message.type === 'resume');
      if (found?.type === 'resume') return found.token;
      await sleep(systemClock, 10);
    }
  };

  return {
    async honest() {
      await leave(await work(connect(await mint())));
    },
    async 'resumes after its connection broke'() {
      const client = await work(connect(await mint()));
      const token = await tokenOf(client);
      client.socket.terminate();
      await leave(await work(connect(token)));
    },
    async 'shares a machine with two others'() {
      const machine = machines[random(machines.length)];
      const open = async () => work(connect(await mint(randomId(systemRandom), machine)));
      const first = await open();
      const others = await Promise.all([open(), open()]);
      for (const client of [first, ...others]) await leave(client);
    },
    async 'is terminated'() {
      const sessionId = randomId(systemRandom);
      const client = await work(connect(await mint(sessionId)));
      await orders.issue({ kind: 'session', ref: sessionId }, 'ended_by_operator');
      await client.closed;
    },
    async 'loses its machine'() {
      const client = connect(await mint(randomId(systemRandom), broken));
      await client.rfb().catch(() => {});
      if (broken) deps.proxmox.dropConsoles(broken.vmid);
      // A shared screen opens another console, and keeps its viewers.
      await Promise.race([client.closed, sleep(systemClock, 300)]);
      await leave(client);
    },
    async 'uses a grant three times'() {
      const token = await mint();
      await Promise.all(
        [connect(token), connect(token), connect(token)].map(async (client) => {
          await Promise.race([client.rfb().catch(() => {}), client.closed]);
          client.socket.terminate();
        }),
      );
    },
    async 'is refused, and keeps its connection'() {
      const socket = await openSocket(port);
      socket.allowHalfOpen = true;
      // Long after the relay has closed the connection.
      socket.on('end', () => setTimeout(() => socket.destroy(), 500)).resume();
      socket.write(`${upgradeLines('Sec-WebSocket-Protocol: mqtt').join('\r\n')}\r\n\r\n`);
      await whenClosed(socket);
    },
    async 'never ends its request'() {
      const socket = await openSocket(port);
      socket.resume();
      socket.write(`${upgradeLines().join('\r\n')}\r\nX: `);
      await whenClosed(socket);
    },
    async 'asks for pages'() {
      await sendRaw(port, ['GET / HTTP/1.1', 'Host: x', 'Connection: close']);
    },
    async 'ends its side'() {
      const { socket, closed } = await raw();
      if (random(2)) socket.write(binaryFrame(version));
      socket.removeAllListeners('end');
      socket.allowHalfOpen = true;
      socket.end();
      await closed;
    },
    async 'never finishes its handshake'() {
      const { socket, closed } = await raw();
      socket.write(binaryFrame(version.subarray(0, random(12))));
      socket.on('data', (chunk: Buffer) => chunk.includes(0x88) && socket.destroy());
      await closed;
    },
    async 'breaks the protocol right behind ClientInit'() {
      const { socket, closed } = await raw();
      const invalid = clientFrame({ opcode: 1, payload: Buffer.from('{"type":"please"}') });
      socket.write(Buffer.concat([binaryFrame(version), binaryFrame(clientInit), invalid]));
      socket.end();
      await closed;
    },
    async 'leaves at any moment'() {
      const { socket, closed } = await raw();
      const script = Buffer.concat([
        binaryFrame(version),
        binaryFrame(clientInit),
        binaryFrame(updateRequest),
        close,
      ]);
      for (const piece of randomChunks(script.subarray(0, random(script.length + 1)), random)) {
        socket.write(piece);
        await sleep(systemClock, random(10));
      }
      if (random(2)) socket.resetAndDestroy();
      else socket.end();
      await closed;
    },
    async 'sends garbage'() {
      const { socket, closed } = await raw();
      socket.write(Buffer.from(Array.from({ length: 500 }, () => random(256))));
      socket.end();
      await closed;
    },
    async 'reads nothing, and floods'() {
      const { socket, closed } = await raw();
      socket.write(Buffer.concat([binaryFrame(version), binaryFrame(clientInit)]));
      socket.pause();
      const pings = Buffer.concat(
        Array.from({ length: 2000 }, () => clientFrame({ opcode: 9, payload: Buffer.alloc(50) })),
      );
      const everything = binaryFrame(Buffer.from([3, 0, 0, 0, 0, 0, 255, 255, 255, 255]));
      for (let i = 0; i < 20; i++) socket.write(i % 2 ? pings : everything);
      await sleep(systemClock, 300);
      socket.destroy();
      await closed;
    },
  };
}
