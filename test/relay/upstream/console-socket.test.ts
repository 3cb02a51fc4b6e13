import { createServer, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { systemClock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import { createProxmoxDial } from '@porthole/shared/proxmox/dial';
import { openConsoleSocket } from '@porthole/relay/upstream/console-socket';
import type { LocatedMachine } from '@porthole/relay/upstream/machine';
import type { Link } from '@porthole/relay/stream/link';
import { serverFrame } from '../websocket-frames.ts';
import { acceptKey } from '@porthole/relay/upstream/websocket-upgrade';
import { createCertificateAuthority } from '../../fakes/proxmox/certificates.ts';
import { readClientFrame } from '../../fakes/proxmox/websocket-frames.ts';
import { eventually } from '../../eventually.ts';

const ca = createCertificateAuthority();
const { certPem, keyPem } = ca.issue({ name: 'pve1', fqdn: 'pve1.test', address: '127.0.0.1' });
const acceptance = (key: string) =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`;

let cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups) cleanup();
  cleanups = [];
});

/** Opens a console at a server whose response to the upgrade the test sends. */
async function openAt(
  respond: (socket: TLSSocket, key: string, request: string) => void,
  signal = new AbortController().signal,
): Promise<Link> {
  const server = createServer({ cert: certPem, key: keyPem }, (socket) => {
    cleanups.push(() => socket.destroy());
    socket.on('error', () => {});
    socket.once('data', (chunk: Buffer) => {
      const request = chunk.toString('latin1');
      respond(socket, /sec-websocket-key: (\S+)/i.exec(request)?.[1] ?? '', request);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  const { port } = server.address() as { port: number };
  const client: Pick<ProxmoxClient, 'dial' | 'headers'> = {
    dial: createProxmoxDial({ caFile: () => ca.caPem, insecureSkipVerify: false }, systemClock),
    headers: async () => ({ authorization: 'PVEAPIToken=test' }),
  };
  const machine = {
    cluster: { client },
    host: { base: new URL(`https://127.0.0.1:${port}`) },
    path: '/nodes/pve1/qemu/100',
  } as unknown as LocatedMachine;
  const link = await openConsoleSocket(machine, { port: 5900, ticket: 'PVEVNC:a+b=;c' }, signal);
  cleanups.push(() => link.destroy());
  return link;
}

/** Records what a link receives. */
function record(link: Link) {
  const received = { text: '', ends: [] as (string | undefined)[] };
  link.setHandler({
    onBytes: (source, start, end) => (received.text += source.toString('latin1', start, end)),
    onEnded: (error) => void received.ends.push(error?.code),
  });
  return received;
}

test('the request has the credential, one subprotocol and the ticket, encoded as Proxmox decodes it', async () => {
  let seen = '';
  await openAt((socket, key, request) => {
    seen = request;
    socket.write(acceptance(key));
  });
  expect(seen).toMatch(
    /^GET \/api2\/json\/nodes\/pve1\/qemu\/100\/vncwebsocket\?port=5900&vncticket=PVEVNC%3Aa%2Bb%3D%3Bc HTTP\/1.1\r\n/,
  );
  expect(seen).toContain('authorization: PVEAPIToken=test\r\n');
  expect(seen).toContain('sec-websocket-protocol: binary\r\n');
});

test('bytes right behind the response belong to the console, byte by byte or all at once', async () => {
  for (const size of [1, 1000]) {
    const link = await openAt((socket, key) => {
      const bytes = Buffer.concat([
        Buffer.from(acceptance(key)),
        serverFrame(2, Buffer.from('RFB 003.008\n')),
      ]);
      for (let at = 0; at < bytes.length; at += size) socket.write(bytes.subarray(at, at + size));
    });
    const received = record(link);
    await eventually('the version has arrived', () => received.text === 'RFB 003.008\n');
  }
});

test.each([
  ['401 permission denied - invalid PVEVNC ticket', 'proxmox_credential'],
  ['403 Permission check failed', 'proxmox_permission'],
  ['500 missing websocket-key', 'proxmox_invalid_response'],
  ['200 OK', 'proxmox_invalid_response'],
])('the response %s is the error %s, with its reason phrase in the log', async (status, code) => {
  const refused = await openAt((socket) =>
    socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`),
  ).catch((error: unknown) => error as PortholeError);
  expect(refused).toMatchObject({ code, detail: `vncwebsocket: ${status}` });
});

test.each<[string, (socket: TLSSocket, key: string) => void, string]>([
  ['accepts another key', (socket) => socket.write(acceptance('other')), 'proxmox_invalid_response'],
  [
    'has an extension that was not offered',
    (socket, key) =>
      socket.write(
        acceptance(key).replace('\r\n\r\n', '\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n'),
      ),
    'proxmox_invalid_response',
  ],
  ['is not HTTP', (socket) => socket.write('SSH-2.0-OpenSSH\r\n\r\n'), 'proxmox_invalid_response'],
  [
    'has a head without an end',
    (socket) => socket.write(`HTTP/1.1 101 x\r\n${'a: b\r\n'.repeat(5000)}`),
    'proxmox_invalid_response',
  ],
  ['is missing because the connection was closed', (socket) => socket.end(), 'console_lost'],
])('a response that %s is refused', async (_, respond, code) => {
  await expect(openAt(respond)).rejects.toMatchObject({ code });
});

test('a missing response ends the attempt when the step’s signal is aborted', async () => {
  const step = new AbortController();
  const opening = openAt(() => step.abort(new PortholeError('proxmox_timeout')), step.signal);
  await expect(opening).rejects.toMatchObject({ code: 'proxmox_timeout' });
});

test.each<[string, Buffer, string | undefined]>([
  ['a text frame', serverFrame(1, Buffer.from('x')), 'proxmox_invalid_response'],
  ['a frame above 128 KiB', serverFrame(2, Buffer.alloc(131_073)), 'proxmox_invalid_response'],
  ['a close frame', serverFrame(8, Buffer.alloc(0)), undefined],
])('a console ends at %s, after what came before it', async (_, frame, code) => {
  const link = await openAt((socket, key) => {
    socket.write(Buffer.concat([Buffer.from(acceptance(key)), serverFrame(2, Buffer.from('ok')), frame]));
  });
  const received = record(link);
  await eventually('the link has ended', () => received.ends.length === 1);
  expect(received).toEqual({ text: 'ok', ends: [code] });
});

test('bytes are sent in masked final frames of at most 128 KiB', async () => {
  let received = Buffer.alloc(0);
  const link = await openAt((socket, key) => {
    socket.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
    socket.write(acceptance(key));
  });
  record(link);
  const payload = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
  link.send(payload);
  await eventually('all arrived', () => received.length > payload.length);
  const pieces: Buffer[] = [];
  for (let rest = received; rest.length > 0;) {
    const taken = readClientFrame(rest);
    if (!taken || 'violation' in taken.frame) throw new Error(JSON.stringify(taken?.frame));
    pieces.push(taken.frame.payload);
    rest = Buffer.from(taken.rest);
  }
  expect(pieces.map(({ length }) => length)).toEqual([131_072, 131_072, 300_000 - 2 * 131_072]);
  expect(Buffer.concat(pieces).equals(payload)).toBe(true);
});

test('a paused link stops its server, and continues where it stopped when it is resumed', async () => {
  let sent = 0;
  const frame = serverFrame(2, Buffer.alloc(100_000, 'x'));
  const total = 200;
  const link = await openAt((socket, key) => {
    socket.write(acceptance(key));
    const more = () => {
      while (sent < total) if ((sent++, !socket.write(frame))) return void socket.once('drain', more);
    };
    more();
  });
  let bytes = 0;
  link.setHandler({ onBytes: (_source, start, end) => void (bytes += end - start), onEnded() {} });
  await eventually('bytes arrive', () => bytes > 0);
  link.pause();
  let before = -1;
  // Records that were read together still arrive.
  while (before !== bytes) {
    before = bytes;
    await new Promise((resolve) => void setTimeout(resolve, 50));
  }
  expect(bytes).toBeLessThan(total * 100_000);
  link.resume();
  await eventually('everything has arrived', () => bytes === total * 100_000);
});
