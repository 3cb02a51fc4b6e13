import { createServer, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { systemClock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import { createProxmoxDial } from '@porthole/shared/proxmox/dial';
import { openConsoleSocket } from '@porthole/relay/upstream/console-socket';
import type { LocatedMachine } from '@porthole/relay/upstream/machine';
import type { Link } from '@porthole/relay/stream/link';
import { serverFrame } from '../wire.ts';
import { acceptKey } from '@porthole/relay/upstream/websocket-upgrade';
import { createCertificateAuthority } from '../../fakes/proxmox/certificates.ts';
import { readClientFrame } from '../../fakes/proxmox/websocket-frames.ts';
import { eventually } from '../../eventually.ts';

const ca = createCertificateAuthority();
const { certPem, keyPem } = ca.issue({ name: 'pve1', fqdn: 'pve1.test', address: '127.0.0.1' });
const accepting = (key: string) =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`;

let cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups) cleanup();
  cleanups = [];
});

/** Opens a console at a server that answers the upgrade as the test says. */
async function openAt(
  answer: (socket: TLSSocket, key: string, request: string) => void,
  signal = new AbortController().signal,
): Promise<Link> {
  const server = createServer({ cert: certPem, key: keyPem }, (socket) => {
    cleanups.push(() => socket.destroy());
    socket.on('error', () => {});
    socket.once('data', (chunk: Buffer) => {
      const request = chunk.toString('latin1');
      answer(socket, /sec-websocket-key: (\S+)/i.exec(request)?.[1] ?? '', request);
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

/** Reads all of a link. */
function read(link: Link) {
  const all = { text: '', ends: [] as (string | undefined)[] };
  link.handle({
    bytes: (source, start, end) => (all.text += source.toString('latin1', start, end)),
    ended: (error) => void all.ends.push(error?.code),
  });
  return all;
}

test('the request carries the credential, one subprotocol and the ticket, spelled as Proxmox reads it', async () => {
  let seen = '';
  await openAt((socket, key, request) => {
    seen = request;
    socket.write(accepting(key));
  });
  expect(seen).toMatch(
    /^GET \/api2\/json\/nodes\/pve1\/qemu\/100\/vncwebsocket\?port=5900&vncticket=PVEVNC%3Aa%2Bb%3D%3Bc HTTP\/1.1\r\n/,
  );
  expect(seen).toContain('authorization: PVEAPIToken=test\r\n');
  expect(seen).toContain('sec-websocket-protocol: binary\r\n');
});

test('what comes right behind the answer belongs to the console, byte by byte or all at once', async () => {
  for (const pieces of [1, 1000]) {
    const link = await openAt((socket, key) => {
      const bytes = Buffer.concat([
        Buffer.from(accepting(key)),
        serverFrame(2, Buffer.from('RFB 003.008\n')),
      ]);
      for (let at = 0; at < bytes.length; at += pieces) socket.write(bytes.subarray(at, at + pieces));
    });
    const all = read(link);
    await eventually('the version came', () => all.text === 'RFB 003.008\n');
  }
});

test.each([
  ['401 permission denied - invalid PVEVNC ticket', 'proxmox_credential'],
  ['403 Permission check failed', 'proxmox_permission'],
  ['500 missing websocket-key', 'proxmox_invalid_response'],
  ['200 OK', 'proxmox_invalid_response'],
])('an answer of %s is %s, with its reason for the log', async (status, code) => {
  const refused = await openAt((socket) =>
    socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`),
  ).catch((error: unknown) => error as PortholeError);
  expect(refused).toMatchObject({ code, detail: `vncwebsocket: ${status}` });
});

test.each<[string, (socket: TLSSocket, key: string) => void, string]>([
  [
    'proves to have read another key',
    (socket) => socket.write(accepting('other')),
    'proxmox_invalid_response',
  ],
  [
    'agrees on a compression that nobody offered',
    (socket, key) =>
      socket.write(
        accepting(key).replace('\r\n\r\n', '\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n'),
      ),
    'proxmox_invalid_response',
  ],
  ['is no HTTP', (socket) => socket.write('SSH-2.0-OpenSSH\r\n\r\n'), 'proxmox_invalid_response'],
  [
    'has a head without end',
    (socket) => socket.write(`HTTP/1.1 101 x\r\n${'a: b\r\n'.repeat(5000)}`),
    'proxmox_invalid_response',
  ],
  ['is a closed connection', (socket) => socket.end(), 'console_lost'],
])('an answer that %s opens nothing', async (_what, answer, code) => {
  await expect(openAt(answer)).rejects.toMatchObject({ code });
});

test('no answer at all is given up when the phase is over', async () => {
  const phase = new AbortController();
  const opening = openAt(() => phase.abort(new PortholeError('proxmox_timeout')), phase.signal);
  await expect(opening).rejects.toMatchObject({ code: 'proxmox_timeout' });
});

test.each<[string, Buffer, string | undefined]>([
  ['a text', serverFrame(1, Buffer.from('x')), 'proxmox_invalid_response'],
  ['a frame above 128 KiB', serverFrame(2, Buffer.alloc(131_073)), 'proxmox_invalid_response'],
  ['a close', serverFrame(8, Buffer.alloc(0)), undefined],
])('a console whose server sends %s ends, behind what came before', async (_what, frame, code) => {
  const link = await openAt((socket, key) => {
    socket.write(Buffer.concat([Buffer.from(accepting(key)), serverFrame(2, Buffer.from('ok')), frame]));
  });
  const all = read(link);
  await eventually('it ended', () => all.ends.length === 1);
  expect(all).toEqual({ text: 'ok', ends: [code] });
});

test('what is sent arrives in masked final frames of at most 128 KiB', async () => {
  let received = Buffer.alloc(0);
  const link = await openAt((socket, key) => {
    socket.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
    socket.write(accepting(key));
  });
  read(link);
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

test('a console that is not read stops its server, and goes on where it stopped', async () => {
  let sent = 0;
  const frame = serverFrame(2, Buffer.alloc(100_000, 'x'));
  const total = 200;
  const link = await openAt((socket, key) => {
    socket.write(accepting(key));
    const more = () => {
      while (sent < total) if ((sent++, !socket.write(frame))) return void socket.once('drain', more);
    };
    more();
  });
  let bytes = 0;
  link.handle({ bytes: (_source, start, end) => void (bytes += end - start), ended() {} });
  await eventually('it flows', () => bytes > 0);
  link.pause();
  let before = -1;
  // Records that were read together still come; then nothing does.
  while (before !== bytes) {
    before = bytes;
    await new Promise((resolve) => void setTimeout(resolve, 50));
  }
  expect(bytes).toBeLessThan(total * 100_000);
  link.resume();
  await eventually('everything came', () => bytes === total * 100_000);
});
