import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { inspect } from 'node:util';
import { createForwardViewer } from '@porthole/relay/sharing/forward-viewer';
import { createPeerKeys } from '@porthole/relay/sharing/peer-keys';
import { peerClientTls } from '@porthole/relay/sharing/peer-tls';
import { createSharingMetrics } from '@porthole/relay/sharing/sharing-metrics';
import { systemRandom } from '@porthole/shared/crypto/random';
import { mintGrant } from '@porthole/shared/grant/grant';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { noTracing } from '@porthole/shared/telemetry/tracing';
import { onAbort } from '@porthole/shared/time/on-abort';
import { WebSocket } from 'ws';
import { eventually } from '../../eventually.ts';
import { aGrant } from '../rig.ts';
import { grantKey, startForwardRig, stopForwardRigs, type ForwardRig } from './forward-rig.ts';
import { aForwardToken, connectPeer } from './peer-client.ts';

const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await stopForwardRigs();
});

/** Short limits, so that a test does not wait. */
const quick = { handshakeMs: 200, checkIntervalMs: 50, maxUnfinished: 16 };

function rawConnection(rig: ForwardRig): Socket {
  const socket = connect(rig.port, '127.0.0.1');
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

async function tlsConnection(rig: ForwardRig): Promise<Socket> {
  const tls = peerClientTls(createPeerKeys(() => [grantKey]));
  const socket = connectTls({ port: rig.port, host: '127.0.0.1', ...tls });
  socket.on('error', () => {});
  sockets.push(socket);
  await once(socket, 'secureConnect');
  return socket;
}

const refusals = (reason: string) => `internal_connections_refused_total{reason="${reason}"}`;

describe('a peer without the grant key', () => {
  test('with another key fails in the TLS handshake', async () => {
    const rig = await startForwardRig();
    const token = await aForwardToken(rig);
    expect(await connectPeer(rig, { token, key: 'x'.repeat(40) }).outcome).toBe('error');
    await rig.eventuallyMetric('owner', refusals('handshake'), 1);
    // Nothing of it was read, so the token is still there.
    expect(await connectPeer(rig, { token }).outcome).toBe('open');
  });

  test('that knows the public name of the key, but not the key, fails in the TLS handshake', async () => {
    const rig = await startForwardRig();
    const { identity } = createPeerKeys(() => [grantKey]).first();
    const tls = peerClientTls({
      first: () => ({ identity, psk: Buffer.alloc(32) }),
      find: () => undefined,
    });
    const socket = connectTls({ port: rig.port, host: '127.0.0.1', ...tls });
    sockets.push(socket);
    await once(socket, 'error');
    await rig.eventuallyMetric('owner', refusals('handshake'), 1);
  });

  test('with TLS and no key, or without TLS, gets no answer of the HTTP server', async () => {
    const rig = await startForwardRig();
    const withoutKey = connectTls({ port: rig.port, host: '127.0.0.1', rejectUnauthorized: false });
    sockets.push(withoutKey);
    await once(withoutKey, 'error');
    const plain = rawConnection(rig);
    const received: Buffer[] = [];
    plain.on('data', (chunk: Buffer) => received.push(chunk));
    plain.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(plain, 'close');
    // At most a TLS alert.
    expect(Buffer.concat(received).toString('latin1')).not.toContain('HTTP');
    await rig.eventuallyMetric('owner', refusals('handshake'), 2);
  });

  test('that plays the owner does not get a byte of the request', async () => {
    const impostor = await startForwardRig({ listener: { keys: () => ['y'.repeat(40)] } });
    const rig = await startForwardRig();
    await expect(rig.forward({}, impostor.address)).rejects.toMatchObject({ code: 'owner_unreachable' });
    expect(impostor.requests).toHaveLength(0);
  });

  test('can neither weaken the cipher nor use certificates', async () => {
    const rig = await startForwardRig();
    const { psk, identity } = createPeerKeys(() => [grantKey]).first();
    // Without forward secrecy.
    const socket = connectTls({
      port: rig.port,
      host: '127.0.0.1',
      ciphers: 'PSK-AES256-GCM-SHA384:DHE-PSK-AES256-GCM-SHA384',
      maxVersion: 'TLSv1.2',
      pskCallback: () => ({ psk, identity }),
      checkServerIdentity: () => undefined,
    });
    sockets.push(socket);
    await once(socket, 'error');
  });
});

describe('a token', () => {
  test('is good for one viewer', async () => {
    const rig = await startForwardRig();
    const token = await aForwardToken(rig);
    const first = connectPeer(rig, { token });
    await eventually(() => expect(first.texts).toEqual(['{"type":"accepted"}']));
    expect(await connectPeer(rig, { token }).closed).toEqual([4401, 'grant_invalid']);
    await rig.eventuallyMetric('owner', 'forwards_refused_total{direction="in",code="grant_invalid"}', 1);
  });

  test('that ten peers present at once is good for one of them', async () => {
    const rig = await startForwardRig();
    const token = await aForwardToken(rig);
    const peers = Array.from({ length: 10 }, () => connectPeer(rig, { token }));
    await rig.eventuallyMetric('owner', 'forwards_refused_total{direction="in",code="grant_invalid"}', 9);
    await eventually(() => expect(peers.filter(({ texts }) => texts.length > 0)).toHaveLength(1));
    expect(rig.consoles).toHaveLength(1);
  });

  test('for another relay is refused, and used up', async () => {
    const rig = await startForwardRig();
    const token = await aForwardToken(rig, '10.0.0.9:8081');
    expect(await connectPeer(rig, { token }).closed).toEqual([4401, 'grant_invalid']);
    expect(rig.consoles).toHaveLength(0);
  });

  test('that was put back into the store later is refused', async () => {
    const rig = await startForwardRig();
    const token = await aForwardToken(rig);
    rig.ownerClock.advance(60_000);
    expect(await connectPeer(rig, { token }).closed).toEqual([4401, 'grant_invalid']);
  });

  test('of a viewer’s grant is no token of a relay', async () => {
    const rig = await startForwardRig();
    const deps = { records: rig.store.records, keys: () => [grantKey], random: systemRandom };
    const grant = await mintGrant({ ...deps, clock: rig.ownerClock }, aGrant(rig.ownerClock));
    expect(await connectPeer(rig, { token: grant }).closed).toEqual([4401, 'grant_invalid']);
  });

  test.each(['', 'x', 'x'.repeat(43), 'x'.repeat(65), '../../x'])('"%s" is refused', async (token) => {
    const rig = await startForwardRig();
    const peer = connectPeer(rig, { token });
    const outcome = await peer.outcome;
    if (outcome === 'open') expect(await peer.closed).toEqual([4401, 'grant_invalid']);
    else expect(outcome).toBe(400);
    expect(rig.consoles).toHaveLength(0);
  });

  test('appears in no error', async () => {
    const tokens: string[] = [];
    const rig = await startForwardRig({
      relay: {
        random: (size) => {
          const bytes = systemRandom(size);
          if (size === 32) tokens.push(bytes.toString('base64url'));
          return bytes;
        },
      },
    });
    rig.network.freeze();
    const errors: unknown[] = [];
    const late = rig.forward().catch((error: unknown) => errors.push(error));
    await eventually(() => expect(rig.network.connections()).toBe(1));
    rig.relayClock.advance(1000);
    await late;
    await rig.forward({}, '127.0.0.1:1').catch((error: unknown) => errors.push(error));
    expect(tokens).toHaveLength(2);
    expect(errors).toHaveLength(2);
    const text = inspect(errors, { depth: Infinity, showHidden: true });
    for (const token of tokens) expect(text).not.toContain(token);
  });
});

describe('slow and many peers', () => {
  test('a peer that connects and sends nothing is closed', async () => {
    const rig = await startForwardRig({ listener: { serverLimits: quick } });
    await once(rawConnection(rig), 'close');
    await rig.eventuallyMetric('owner', refusals('handshake'), 1);
  });

  test('a peer that sends no request after its TLS handshake is closed', async () => {
    const rig = await startForwardRig({ listener: { serverLimits: quick } });
    await once(await tlsConnection(rig), 'close');
  });

  test('a peer that sends its request in small pieces is closed', async () => {
    const rig = await startForwardRig({ listener: { serverLimits: quick } });
    const socket = await tlsConnection(rig);
    socket.write('GET /internal/v1/forward HTTP/1.1\r\n');
    const drip = setInterval(() => socket.writable && socket.write('a: b\r\n'), 20);
    // What was sent after that is answered with a reset, which can be reported first.
    await new Promise((resolve) => socket.on('error', () => {}).once('close', resolve));
    clearInterval(drip);
  });

  test('a flood of connections that never finish does not keep relays out', async () => {
    const rig = await startForwardRig({ listener: { serverLimits: { ...quick, handshakeMs: 60_000 } } });
    for (let i = 0; i < 100; i++) rawConnection(rig);
    await eventually(async () =>
      expect(await rig.metric('owner', refusals('evicted'))).toBeGreaterThanOrEqual(80),
    );
    const session = await rig.forward();
    session.link.send(Buffer.from([1]));
    await eventually(() => expect(session.received().toString()).toBe('ServerInit'));
    // The forwarded viewer is not an unfinished connection, so that the flood does not replace it.
    for (let i = 0; i < 100; i++) rawConnection(rig);
    await eventually(async () =>
      expect(await rig.metric('owner', refusals('evicted'))).toBeGreaterThanOrEqual(180),
    );
    session.link.send(Buffer.from('!'));
    await eventually(() => expect(session.received().toString()).toBe('ServerInit!'));
  });

  test('above the limit of viewers, a viewer gets a console of its own', async () => {
    const rig = await startForwardRig({ listener: { maxViewers: 2 } });
    const [first] = [await rig.forward(), await rig.forward()];
    await expect(rig.forward()).rejects.toMatchObject({ code: 'screen_full' });
    await rig.eventuallyMetric('owner', refusals('limit'), 1);
    first.link.destroy();
    await rig.eventuallyMetric('owner', 'forwarded_viewers{direction="in"}', 1);
    await eventually(() => rig.forward());
  });

  test('above the rate of requests, tokens are not even looked up, and the rate recovers', async () => {
    const rig = await startForwardRig({ listener: { rate: { burst: 3, perSecond: 1 } } });
    for (let i = 0; i < 3; i++)
      expect(await connectPeer(rig, { token: 'x'.repeat(43) }).outcome).toBe('open');
    const token = await aForwardToken(rig);
    expect(await connectPeer(rig, { token }).outcome).toBe(429);
    await rig.eventuallyMetric('owner', refusals('rate'), 1);
    rig.ownerClock.advance(1000);
    expect(await connectPeer(rig, { token }).outcome).toBe('open');
  });
});

describe('requests and frames', () => {
  test.each(['/', '/internal/v1/forward?x=1', '/relay/v1/console'])(
    'an upgrade of %s is refused',
    async (path) => {
      const rig = await startForwardRig();
      const token = await aForwardToken(rig);
      expect(await connectPeer(rig, { token, path }).outcome).toBe(400);
      await rig.eventuallyMetric('owner', refusals('request'), 1);
    },
  );

  test.each([
    ['a request that is no upgrade', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a long header', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(8000)}\r\n\r\n`],
    ['bytes that are no HTTP', '\u0016\u0003\u0001 garbage \r\n\r\n'],
  ])('%s closes the connection', async (_name, text) => {
    const rig = await startForwardRig();
    const socket = await tlsConnection(rig);
    socket.resume();
    socket.write(text);
    await once(socket, 'close');
    await rig.eventuallyMetric('owner', refusals('request'), 1);
  });

  test('a frame that is too large ends the viewer, and costs no memory', async () => {
    const rig = await startForwardRig();
    const peer = connectPeer(rig, { token: await aForwardToken(rig) });
    expect(await peer.outcome).toBe('open');
    expect(rig.consoles).toHaveLength(1);
    peer.socket.send(Buffer.alloc(64 * 1024 + 1));
    expect((await peer.closed)[0]).toBe(1009);
    await eventually(() => expect(rig.consoles[0]!.destroyed).toBe(1));
    expect(rig.consoles[0]!.received).toHaveLength(0);
  });

  test('garbage in place of frames ends the viewer', async () => {
    const rig = await startForwardRig();
    const peer = connectPeer(rig, { token: await aForwardToken(rig) });
    const upgraded = once(peer.socket, 'upgrade') as Promise<[{ socket: Socket }]>;
    const [{ socket }] = await upgraded;
    await eventually(() => expect(rig.consoles).toHaveLength(1));
    socket.write(Buffer.alloc(1000, 0xff));
    await peer.closed;
    await eventually(() => expect(rig.consoles[0]!.destroyed).toBe(1));
    await rig.eventuallyMetric('owner', 'forwarded_viewers{direction="in"}', 0);
  });

  test('bytes that a peer sends before it is accepted are limited', async () => {
    const rig = await startForwardRig({
      accept: ({ signal }) => new Promise((_, reject) => onAbort(signal, (reason) => reject(reason))),
    });
    const peer = connectPeer(rig, { token: await aForwardToken(rig) });
    await peer.outcome;
    for (let i = 0; i < 3; i++) peer.socket.send(Buffer.alloc(60_000));
    expect((await peer.closed)[0]).toBe(1006);
    expect(rig.requests[0]!.signal.aborted).toBe(true);
  });

  test('bytes that an owner sends before the viewer has sent any are limited', async () => {
    const rig = await startForwardRig();
    const forwardViewer = createForwardViewer({
      records: rig.store.records,
      keys: () => [grantKey],
      random: systemRandom,
      clock: rig.relayClock,
      tracing: noTracing,
      metrics: createSharingMetrics(createRegistry()),
    });
    const link = await forwardViewer(rig.address, {
      claims: aGrant(rig.relayClock),
      signal: new AbortController().signal,
      onNotice: () => {},
    });
    rig.consoles[0]!.produce(Buffer.alloc(300_000));
    // The owner sees that its connection is gone, before the session has set a handler.
    await eventually(() => expect(rig.consoles[0]!.destroyed).toBe(1));
    const ended = new Promise((resolve) => link.setHandler({ onBytes: () => {}, onEnded: resolve }));
    expect(await ended).toMatchObject({ code: 'screen_moved' });
  });

  test('texts of a peer have no effect', async () => {
    const rig = await startForwardRig();
    const peer = connectPeer(rig, { token: await aForwardToken(rig) });
    await peer.outcome;
    peer.socket.send('{"type":"accepted"}');
    peer.socket.send('x'.repeat(1000));
    peer.socket.send(Buffer.from([1]));
    await eventually(() => expect(Buffer.concat(rig.consoles[0]!.received)).toEqual(Buffer.from([1])));
    expect(peer.socket.readyState).toBe(WebSocket.OPEN);
    peer.socket.terminate();
  });
});
