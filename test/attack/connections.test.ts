import type { GrantClaims } from '@porthole/shared/grant/claims';
import { eventually } from '../eventually.ts';
import { createRelayRig, testOrigin, type RelayRig, type RigOptions } from '../relay/rig.ts';
import { binaryFrame } from '../relay/websocket-frames.ts';
import { openRawWebSocket, type RawWebSocket } from '../relay/raw-websocket.ts';
import { openSocket, sendRaw, upgradeLines, whenClosed } from './raw-http.ts';
import { countConnections, expectNoConnections } from './relay-counts.ts';
import { rounds, roundsTimeout } from './rounds.ts';
import { threat } from './threat-table.ts';

let rig: RelayRig;
const start = async (options: RigOptions = {}) => (rig = await createRelayRig(options));
afterEach(async () => {
  await eventually('no console is open at Proxmox', () => rig.proxmox.openConsoles() === 0);
  await rig.stop();
});

const port = () => Number(new URL(rig.url).port);
const openOne = async (claims: Partial<GrantClaims> = {}): Promise<RawWebSocket> =>
  openRawWebSocket(rig.url.replace('ws:', 'http:'), { token: await rig.mint(claims), origin: testOrigin });
const protocol = 'Sec-WebSocket-Protocol: porthole.v1';

const noneLeft = () => expectNoConnections(rig);

describe(threat('B1'), () => {
  const wrong: Readonly<Record<string, readonly string[]>> = {
    'another path': ['GET /relay/v2/console HTTP/1.1', ...upgradeLines(protocol).slice(1)],
    'a doubled slash': ['GET //relay/v1/console HTTP/1.1', ...upgradeLines(protocol).slice(1)],
    'dots in the path': ['GET /x/../relay/v1/console HTTP/1.1', ...upgradeLines(protocol).slice(1)],
    'an encoded path': ['GET /relay%2fv1/console HTTP/1.1', ...upgradeLines(protocol).slice(1)],
    'a whole URL': ['GET http://evil.example/relay/v1/console HTTP/1.1', ...upgradeLines(protocol).slice(1)],
    'no subprotocol': upgradeLines(),
    'an unknown subprotocol': upgradeLines('Sec-WebSocket-Protocol: mqtt'),
    'empty subprotocols': upgradeLines('Sec-WebSocket-Protocol: ,,,'),
    'a subprotocol twice': upgradeLines('Sec-WebSocket-Protocol: porthole.v1, porthole.v1'),
    'a malformed subprotocol': upgradeLines('Sec-WebSocket-Protocol: porthole.v1, a b'),
    'no key': upgradeLines(protocol).filter((line) => !line.includes('Key')),
    'a malformed key': [
      ...upgradeLines(protocol).filter((line) => !line.includes('Key')),
      'Sec-WebSocket-Key: x',
    ],
    'another version': [
      ...upgradeLines(protocol).filter((line) => !line.includes('Version')),
      'Sec-WebSocket-Version: 99',
    ],
    'another method': ['POST /relay/v1/console HTTP/1.1', ...upgradeLines(protocol).slice(1)],
    'another upgrade': [
      ...upgradeLines(protocol).filter((line) => !line.startsWith('Upgrade')),
      'Upgrade: h2c',
    ],
  };
  test.each(Object.keys(wrong))(
    '%s',
    async (name) => {
      await start();
      const sockets = await Promise.all(Array.from({ length: rounds(20) }, () => openSocket(port())));
      const answers = sockets.map(() => '');
      const closed = sockets.map(whenClosed);
      sockets.forEach((socket, i) => {
        // A client that never closes its side by itself.
        socket.allowHalfOpen = true;
        socket.on('data', (chunk: Buffer) => (answers[i] += chunk.toString('latin1')));
        socket.on('end', () => {});
        socket.write(`${(wrong[name] ?? []).join('\r\n')}\r\n\r\n`);
      });
      await eventually('all are answered', () => answers.every((text) => /^HTTP\/1\.1 4\d\d /.test(text)));
      await noneLeft();
      // Whatever they send now meets no reader.
      for (const socket of sockets) {
        socket.write('more');
        socket.end('more');
      }
      await Promise.all(closed);
    },
    roundsTimeout,
  );
});

describe(threat('B2'), () => {
  test(
    'upgrades above the limit get 503, and later ones succeed',
    async () => {
      await start({ limits: { consolesPerRelay: 1, wallsPerRelay: 1 } });
      // One session, room for a wall, and 200 viewers that do not react to being told that the relay is full.
      const wires = [await openOne()];
      while (wires.length < 201)
        wires.push(...(await Promise.all(Array.from({ length: 20 }, () => openOne()))));
      wires.push(await openOne());
      expect(await countConnections(rig)).toBe(202);
      const refused = await Promise.all(
        Array.from({ length: rounds(20) }, () =>
          sendRaw(port(), upgradeLines(`Origin: ${testOrigin}`, protocol)),
        ),
      );
      for (const answer of refused)
        expect(answer.toString()).toMatch(/^HTTP\/1\.1 503 [^]*\r\nRetry-After: \d+\r\n/);
      for (const wire of wires) wire.socket.destroy();
      await noneLeft();
      const client = await rig.open();
      await client.rfb();
      client.close();
    },
    roundsTimeout,
  );
});

describe(threat('B3'), () => {
  const handshake = Buffer.from('RFB 003.008\n\x01\x01', 'latin1');
  const until: Readonly<Record<string, (wire: RawWebSocket) => Promise<void> | void>> = {
    'right behind its upgrade': () => {},
    'within its handshake': (wire) => void wire.socket.write(binaryFrame(handshake.subarray(0, 13))),
    'within a frame': (wire) => void wire.socket.write(binaryFrame(handshake).subarray(0, 9)),
    'with its console open': async (wire) => {
      wire.socket.write(binaryFrame(handshake));
      await eventually('it is open', () => wire.received().includes('"opened"'));
    },
  };
  test.each(Object.keys(until))(
    'a viewer that ends its side %s, and keeps the other open',
    async (name) => {
      await start();
      for (let round = 0; round < rounds(5); round++) {
        const wire = await openOne();
        await until[name]?.(wire);
        wire.socket.removeAllListeners('end');
        wire.socket.allowHalfOpen = true;
        wire.socket.end();
        await wire.closed;
        await noneLeft();
      }
    },
    roundsTimeout,
  );

  test(
    'a viewer that ends its side with the request for the upgrade',
    async () => {
      await start();
      for (let round = 0; round < rounds(5); round++) {
        const socket = await openSocket(port());
        socket.allowHalfOpen = true;
        const lines = upgradeLines(
          `Origin: ${testOrigin}`,
          `${protocol}, porthole.grant.${await rig.mint()}`,
        );
        socket.end(`${lines.join('\r\n')}\r\n\r\n`);
        socket.resume();
        await whenClosed(socket);
        await noneLeft();
      }
    },
    roundsTimeout,
  );
});

describe(threat('B4'), () => {
  test('beyond the limit of an address, upgrades get 429 and cost nothing else', async () => {
    await start({ limits: { upgradesPerMinute: 10 } });
    const calls = rig.proxmox.calls.length;
    const tokens = await Promise.all(Array.from({ length: 40 }, () => rig.mint()));
    const answers = await Promise.all(
      tokens.map((token, i) =>
        sendRaw(
          port(),
          upgradeLines(
            `Origin: https://evil.example`,
            `X-Forwarded-For: 203.0.113.${i}`,
            `Forwarded: for=203.0.113.${i}`,
            `X-Real-IP: 203.0.113.${i}`,
            `${protocol}, porthole.grant.${token}`,
          ),
          { until: (received) => received.includes('101 ') },
        ),
      ),
    );
    const statuses = answers.map((answer) => answer.toString('latin1').slice(9, 12)).toSorted();
    expect(statuses).toEqual([
      ...Array.from({ length: 10 }, () => '101'),
      ...Array.from({ length: 30 }, () => '429'),
    ]);
    for (const answer of answers.filter((each) => each.includes(' 429 ')))
      expect(answer.toString()).toMatch(/\r\nRetry-After: \d+\r\n/);
    expect(rig.proxmox.calls).toHaveLength(calls);
    await noneLeft();
  });
});

describe(threat('B7'), () => {
  test(
    'viewers still connect while an attacker holds as many silent connections as the limit allows',
    async () => {
      const limit = 50;
      await start({ limits: { httpConnections: limit } });
      const silent = await Promise.all(Array.from({ length: limit }, () => openSocket(port())));
      for (const socket of silent) socket.resume();
      for (let round = 0; round < rounds(5); round++) {
        const client = await rig.open();
        await client.rfb();
        client.close();
        silent.push(...(await Promise.all(Array.from({ length: 20 }, () => openSocket(port())))));
      }
      await eventually('only as many are left as the limit allows', async () =>
        /^porthole_http_connections 50$/m.test(await rig.metrics()),
      );
      for (const socket of silent) socket.destroy();
    },
    roundsTimeout,
  );
});
