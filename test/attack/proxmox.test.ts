import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { RfbClient } from '../fakes/guests/rfb-client.ts';
import { serverFrame } from '../fakes/proxmox/websocket-frames.ts';
import type { ConsoleClient } from '../relay/console-client.ts';
import { testOrigin } from '../relay/rig.ts';
import { binaryFrame, clientFrame } from '../relay/websocket-frames.ts';
import { openRawWebSocket } from '../relay/raw-websocket.ts';
import { heldBytes } from './heap.ts';
import { startHostileProxmox, type Behaviour, type HostileProxmox } from './hostile-proxmox.ts';
import { threat } from './threat-table.ts';

const deadlines = { status: 4000, console: 4000, connect: 1500, firstByte: 1500, authenticate: 1500 };
const byProxmox = [4502, 4504];

let hostile: HostileProxmox;
let honest: { client: ConsoleClient; rfb: RfbClient };
let vmid = 100;
/** Answers to vncproxy, by the number of the machine. */
const ticketAnswers = new Map<number, (response: ServerResponse) => void>();
/** All attacks start at once, because many of them last until a deadline. */
const startAttacks: (() => void)[] = [];
beforeAll(async () => {
  hostile = await startHostileProxmox({ deadlines });
  hostile.onRequest((request, response) => {
    const answer = ticketAnswers.get(Number(/\/qemu\/(\d+)\/vncproxy/.exec(request.url ?? '')?.[1]));
    answer?.(response);
    return answer !== undefined;
  });
  honest = await openHonest();
  for (const start of startAttacks) start();
});
afterAll(() => hostile.stop());

/** The deadlines are short, so on a busy host this may need more than one attempt. */
async function openHonest(): Promise<typeof honest> {
  for (;;) {
    const client = await hostile.rig.open();
    const rfb = await client.rfb().catch(() => undefined);
    if (rfb) return { client, rfb };
  }
}
// The honest console is still usable.
afterEach(async () => {
  honest.rfb.requestUpdate(false);
  await honest.rfb.nextUpdate();
  expect(honest.client.socket.readyState).toBe(honest.client.socket.OPEN);
});

/** Opens the console of a machine of its own. Resolves with the close code. */
async function open(behaviour: Behaviour, claims: Partial<GrantClaims> = {}): Promise<number> {
  const machine = ++vmid;
  hostile.onConsole(machine, behaviour);
  const client = await hostile.rig.open({ vmid: machine, ...claims });
  client.rfb().catch(() => {});
  return (await client.closed).code;
}

function attacks(all: Readonly<Record<string, () => Promise<number>>>) {
  const started = new Map<string, Promise<number>>();
  startAttacks.push(() => {
    for (const [name, attack] of Object.entries(all)) started.set(name, attack());
  });
  test.each(Object.keys(all))('%s', async (name) => {
    expect(byProxmox).toContain(await started.get(name));
  });
}
const behaviours = (all: Readonly<Record<string, Behaviour>>) =>
  attacks(Object.fromEntries(Object.entries(all).map(([name, behaviour]) => [name, () => open(behaviour)])));

/** Writes the same bytes again and again, as fast as they are taken, until the connection is closed. */
function repeat(socket: TLSSocket | ServerResponse, bytes: Buffer | string): void {
  const more = () => {
    while (!socket.destroyed) if (!socket.write(bytes)) return void socket.once('drain', more);
  };
  more();
}
/** Writes one byte after the other, for ever. */
function drip(socket: TLSSocket, bytes: Iterator<number>): void {
  const timer = setInterval(() => socket.write(Buffer.from([bytes.next().value ?? 0])), 20);
  socket.on('close', () => clearInterval(timer));
}
const cycle = function* (text: string) {
  for (;;) yield* Buffer.from(text);
};

describe(threat('P1'), () => {
  describe('of the upgrade', () => {
    behaviours({
      'a head that never ends': ({ socket }) => repeat(socket, `X-${'a'.repeat(50)}: b\r\n`),
      'a head that comes byte by byte': ({ socket }) => drip(socket, cycle('HTTP/1.1 101 x\r\na: b\r\n')),
      'one header without end': ({ socket }) => repeat(socket, 'x'.repeat(1000)),
      'interim answers without end': ({ socket }) => repeat(socket, 'HTTP/1.1 100 Continue\r\n\r\n'),
      'a redirect': ({ socket }) => void socket.end('HTTP/1.1 302 Found\r\nLocation: https://x/\r\n\r\n'),
      'an answer without an upgrade, and an endless body': ({ socket }) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        repeat(socket, 'x'.repeat(10_000));
      },
      'an extension': ({ accept }) => accept('Sec-WebSocket-Extensions: permessage-deflate'),
      'no answer': () => {},
    });
  });

  describe('of the API', () => {
    const answers: Readonly<Record<string, (response: ServerResponse) => void>> = {
      'no JSON': (response) => void response.end('<html>'),
      'JSON of another shape': (response) => void response.end('{"data":[]}'),
      'deep JSON': (response) => void response.end(`{"data":${'['.repeat(1e6)}`),
      'a body without end': (response) => repeat(response, ' '.repeat(64 * 1024)),
      'a body byte by byte': (response) => {
        const timer = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(timer));
      },
      'a port of another service': (response) =>
        void response.end('{"data":{"port":22,"ticket":"PVEVNC:aaaa","password":"aaaaaaaa"}}'),
      'a ticket with line breaks, and no WebSocket then': (response) =>
        void response.end(
          JSON.stringify({ data: { port: 5900, ticket: 'PVEVNC:\r\nX: y\r\n\r\n', password: 'aaaaaaaa' } }),
        ),
      'prototypes of objects': (response) =>
        void response.end('{"data":{"__proto__":{"port":5900,"ticket":"PVEVNC:aaaa","status":"running"}}}'),
    };
    attacks(
      Object.fromEntries(
        Object.entries(answers).map(([name, answer]) => [
          name,
          async () => {
            ticketAnswers.set(vmid + 1, answer);
            return open(({ socket }) => void socket.end('HTTP/1.1 401 no\r\n\r\n'));
          },
        ]),
      ),
    );

    test('a redirect is not followed', async () => {
      let followed = 0;
      const elsewhere = createServer((_request, response) => void response.end(String(++followed)));
      await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
      const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
      ticketAnswers.set(vmid + 1, (response) => void response.writeHead(307, { location }).end());
      expect(byProxmox).toContain(await open(() => {}));
      expect(followed).toBe(0);
      await new Promise((resolve) => elsewhere.close(resolve));
    });
  });
});

describe(threat('P2'), () => {
  /** ServerInit and then these bytes as they stand, to a viewer that is through with its handshake. */
  const behind =
    (...frames: (Buffer | string)[]): Behaviour =>
    async ({ authenticate, hear, say, socket }) => {
      await authenticate();
      await hear(1);
      say(Buffer.concat([Buffer.from([0, 16, 0, 16]), Buffer.alloc(20)]));
      for (const frame of frames) socket.write(typeof frame === 'string' ? Buffer.from(frame, 'hex') : frame);
    };
  const payload = Buffer.alloc(8, 1);
  behaviours({
    'a masked frame': behind(clientFrame({ opcode: 2, payload })),
    'a fragment': behind('0201aa'),
    'a continuation without a beginning': behind('8001aa'),
    'reserved bits, as of compression': behind('c201aa'),
    'a text': behind('8101aa'),
    'an unknown opcode': behind('8b01aa'),
    'a frame of 128 KiB and one byte': behind('827f0000000000020001'),
    'a frame of 2^63 bytes': behind('827f8000000000000000'),
    'a frame of 2^64 - 1 bytes': behind('827fffffffffffffffff'),
    'a ping of its own': behind('8900'),
    'a pong beyond 125 bytes': behind(serverFrame(10, Buffer.alloc(126))),
    HTTP: behind(Buffer.from('HTTP/1.1 200 OK\r\n\r\n')),
    'the end within a header': async (console) => {
      await behind('827f0000')(console);
      console.socket.end();
    },
    'the end within a frame': async (console) => {
      await behind(serverFrame(2, Buffer.alloc(5000)).subarray(0, 2500))(console);
      console.socket.end();
    },
    'a reset within a frame': async (console) => {
      await behind(serverFrame(2, Buffer.alloc(5000)).subarray(0, 2500))(console);
      console.socket.destroy();
    },
    'pongs without end instead of answers to pings': async (console) => {
      await behind()(console);
      for (let i = 0; i < 20_000; i++) console.socket.write(serverFrame(10, payload));
      console.socket.end();
    },
    'empty frames without end': async (console) => {
      await behind()(console);
      console.socket.write(Buffer.alloc(1024 * 1024, Buffer.from([0x82, 0])));
      console.socket.end();
    },
  });
});

describe(threat('P3'), () => {
  const repeatFrame = (socket: TLSSocket, bytes: Buffer) => repeat(socket, serverFrame(2, bytes));
  behaviours({
    'a version that never ends': ({ accept, socket }) => {
      accept();
      repeatFrame(socket, Buffer.from('RFB 003.008'));
    },
    'a handshake byte by byte, without end': ({ accept, socket }) => {
      accept();
      const bytes = cycle('RFB 003.008\n\x01\x02');
      const timer = setInterval(
        () => socket.write(serverFrame(2, Buffer.from([bytes.next().value ?? 0]))),
        50,
      );
      socket.on('close', () => clearInterval(timer));
    },
    'silence after the version': ({ accept, say }) => {
      accept();
      say('RFB 003.008\n');
    },
    'a reason for refusal of 4 GiB': ({ accept, say, socket }) => {
      accept();
      say(Buffer.concat([Buffer.from('RFB 003.008\n'), Buffer.from([0, 0xff, 0xff, 0xff, 0xff])]));
      repeatFrame(socket, Buffer.alloc(10_000, 'x'));
    },
    'only security types that the relay does not speak': ({ accept, say }) => {
      accept();
      say(Buffer.concat([Buffer.from('RFB 003.008\n'), Buffer.alloc(256, 255)]));
    },
  });

  test('bytes without end before the viewer is ready', async () => {
    const closed = Promise.withResolvers<void>();
    hostile.onConsole(++vmid, async ({ authenticate, socket }) => {
      socket.on('close', () => closed.resolve());
      await authenticate();
      repeatFrame(socket, Buffer.alloc(1000));
    });
    const client = await hostile.rig.open({ vmid });
    await closed.promise;
    client.socket.terminate();
  });

  /** ServerInit with a pixel format of 32 bits, and a name of this length. */
  const serverInit = (nameLength: number) => {
    const message = Buffer.alloc(24);
    Buffer.from([0, 16, 0, 16, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8]).copy(message);
    message.writeUInt32BE(nameLength, 20);
    return message;
  };
  const rectangle = (encoding: number) => Buffer.from([0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, encoding]);
  const lengths: Readonly<Record<string, Buffer>> = {
    'a name of 4 GiB': serverInit(0xffff_ffff),
    'a clipboard text of 2 GiB': Buffer.concat([
      serverInit(0),
      Buffer.from([3, 0, 0, 0, 0x7f, 255, 255, 255]),
    ]),
    'an extended clipboard message of 2 GiB': Buffer.concat([
      serverInit(0),
      Buffer.from([3, 0, 0, 0, 0x80, 0, 0, 0, 1, 0, 0, 1]),
    ]),
    'rectangles of 16 GiB': Buffer.concat([serverInit(0), Buffer.from([0, 0, 255, 255]), rectangle(0)]),
    'a zlib rectangle of 4 GiB': Buffer.concat([
      serverInit(0),
      Buffer.from([0, 0, 255, 255]),
      rectangle(6),
      Buffer.alloc(4, 255),
    ]),
  };
  const mib = 1024 * 1024;
  test.each(
    Object.entries(lengths).flatMap(([name, head]) =>
      (['both', 'none'] as const).map((clipboard) => ({ name, head, clipboard })),
    ),
  )('$name, with clipboard $clipboard: nothing of it is kept', async ({ head, clipboard }) => {
    const sent = Promise.withResolvers<void>();
    const measured = Promise.withResolvers<void>();
    hostile.onConsole(++vmid, async ({ authenticate, hear, say, socket }) => {
      await authenticate();
      await hear(1);
      say(head);
      const frame = serverFrame(2, Buffer.alloc(64 * 1024, 1));
      for (let bytes = 0; bytes < 24 * mib; bytes += frame.length)
        if (!socket.write(frame)) await once(socket, 'drain');
      sent.resolve();
      await measured.promise;
      socket.end();
    });
    const before = heldBytes();
    const token = await hostile.rig.mint({ vmid, clipboard });
    const wire = await openRawWebSocket(hostile.rig.url.replace('ws:', 'http:'), {
      token,
      origin: testOrigin,
    });
    wire.socket.write(binaryFrame(Buffer.from('RFB 003.008\n\x01\x01', 'latin1')));
    await sent.promise;
    expect(heldBytes() - before).toBeLessThan(8 * mib);
    measured.resolve();
    wire.socket.destroy();
  });
});
