import { getEventListeners, once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { ClusterConfig } from '@porthole/shared/config/schema';
import { createProxmoxDial, type DialTarget } from '@porthole/shared/proxmox/dial';
import { createCertificateAuthority, type NodeCertificate } from '../../fakes/proxmox/certificates.ts';
import { createFakeClock } from '../../fakes/clock.ts';
import { eventually } from '../../eventually.ts';

type Tls = ClusterConfig['tls'];

const authority = createCertificateAuthority();
const stranger = createCertificateAuthority();
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Listens on a free port. Closed after the test, with all connections. */
async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** A node whose certificate contains its name and the address, 127.0.0.1 by default. */
async function aNode(options: { by?: typeof authority; address?: string } = {}) {
  const certificate = (options.by ?? authority).issue({
    name: 'pve1',
    fqdn: 'pve1.example',
    address: options.address ?? '127.0.0.1',
  });
  return { port: await serve(certificate), certificate };
}

function serve({ certPem, keyPem }: NodeCertificate): Promise<number> {
  const server = createTlsServer({ cert: certPem, key: keyPem }, (socket) =>
    socket.on('error', () => {}).end('hello'),
  );
  return listening(server);
}

async function dial(tls: Partial<Tls>, target: Partial<DialTarget>): Promise<boolean> {
  const clock = createFakeClock();
  const open = createProxmoxDial({ insecureSkipVerify: false, ...tls }, clock);
  const socket = await open({ host: '127.0.0.1', port: 0, ...target }).finally(() => {
    expect(clock.pending()).toBe(0);
  });
  const secure = socket.encrypted;
  socket.destroy();
  return secure;
}

const withCa: Partial<Tls> = { caFile: () => authority.caPem };

describe('a Proxmox node', () => {
  test('is trusted if its CA is the configured one', async () => {
    const { port } = await aNode();
    expect(await dial(withCa, { port })).toBe(true);
  });

  test('is not trusted without its CA or with another one', async () => {
    const { port } = await aNode();
    await expect(dial({}, { port })).rejects.toMatchObject({ code: 'proxmox_tls' });
    await expect(dial({ caFile: () => stranger.caPem }, { port })).rejects.toMatchObject({
      code: 'proxmox_tls',
    });
  });

  test('is not trusted if the CA file holds no certificate', async () => {
    const { port } = await aNode();
    await expect(dial({ caFile: () => 'no PEM' }, { port })).rejects.toMatchObject({ code: 'proxmox_tls' });
  });

  test('is trusted after its CA was written to the file', async () => {
    const { port } = await aNode();
    let pem = stranger.caPem;
    const open = createProxmoxDial({ insecureSkipVerify: false, caFile: () => pem }, createFakeClock());
    await expect(open({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'proxmox_tls' });
    pem = authority.caPem;
    (await open({ host: '127.0.0.1', port })).destroy();
  });

  test('is trusted by its fingerprint, with any CA and address', async () => {
    const { port, certificate } = await aNode({ by: stranger, address: '10.9.9.9' });
    expect(await dial({ fingerprints: ['AA', certificate.fingerprint] }, { port })).toBe(true);
  });

  test('is not trusted with another fingerprint, which is in the detail of the error', async () => {
    const { port, certificate } = await aNode();
    const other = Array(32).fill('AA').join(':');
    await expect(dial({ fingerprints: [other] }, { port })).rejects.toMatchObject({
      code: 'proxmox_tls',
      detail: expect.stringContaining(certificate.fingerprint),
    });
  });

  test('is trusted with insecureSkipVerify', async () => {
    const { port } = await aNode({ by: stranger });
    expect(await dial({ insecureSkipVerify: true }, { port })).toBe(true);
  });
});

describe("a node's certificate", () => {
  // 127.0.0.1 and localhost are in every certificate that Proxmox makes, 127.0.0.9 is not.
  const elsewhere = '127.0.0.9';
  async function onAnotherAddress() {
    const { certPem, keyPem } = authority.issue({ name: 'pve1', fqdn: 'pve1.example', address: '10.0.0.1' });
    const server = createTlsServer({ cert: certPem, key: keyPem }, (socket) => socket.on('error', () => {}));
    server.listen(0, elsewhere);
    await once(server, 'listening');
    closing.push(async () => void server.close());
    return (server.address() as AddressInfo).port;
  }

  test('is valid for its address and its name', async () => {
    const { port } = await aNode();
    expect(await dial(withCa, { port, host: 'localhost' })).toBe(true);
  });

  test('without the address is valid if it contains the name of the dialled node', async () => {
    const port = await onAnotherAddress();
    expect(await dial(withCa, { port, host: elsewhere, nodeName: 'pve1' })).toBe(true);
  });

  test('of another node of the same cluster is not valid', async () => {
    const port = await onAnotherAddress();
    for (const target of [{ nodeName: 'pve2' }, {}])
      await expect(dial(withCa, { port, host: elsewhere, ...target })).rejects.toMatchObject({
        code: 'proxmox_tls',
      });
  });
});

describe('a connection that fails', () => {
  test('is unreachable if the port is closed', async () => {
    const { port } = await aNode();
    await closing.pop()?.();
    await expect(dial(withCa, { port })).rejects.toMatchObject({ code: 'proxmox_unreachable' });
  });

  test('is unreachable if Proxmox closes it before TLS, as DENY_FROM does', async () => {
    const port = await listening(createServer((socket) => socket.end()));
    await expect(dial(withCa, { port })).rejects.toMatchObject({ code: 'proxmox_unreachable' });
    const resetting = await listening(createServer((socket) => socket.resetAndDestroy()));
    await expect(dial(withCa, { port: resetting })).rejects.toMatchObject({ code: 'proxmox_unreachable' });
  });

  test('is a TLS error if another protocol responds', async () => {
    const port = await listening(createServer((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')));
    await expect(dial(withCa, { port })).rejects.toMatchObject({ code: 'proxmox_tls' });
  });

  test('times out if the server accepts and sends nothing', async () => {
    const accepted = Promise.withResolvers<Socket>();
    const port = await listening(createServer((socket) => accepted.resolve(socket)));
    const clock = createFakeClock();
    const open = createProxmoxDial({ insecureSkipVerify: true }, clock, { connectMs: 5000 });
    const dialling = open({ host: '127.0.0.1', port });
    const outcome = expect(dialling).rejects.toMatchObject({
      code: 'proxmox_timeout',
      detail: `127.0.0.1:${port} did not complete the TLS handshake within 5000 ms`,
    });
    const socket = await accepted.promise;
    clock.advance(5000);
    await outcome;
    socket.resume();
    if (!socket.closed) await once(socket, 'close');
    expect(clock.pending()).toBe(0);
  });

  test('is cancelled at once by the signal of the caller, before or during the handshake', async () => {
    const accepted = Promise.withResolvers<Socket>();
    const port = await listening(createServer((socket) => accepted.resolve(socket)));
    const clock = createFakeClock();
    const open = createProxmoxDial({ insecureSkipVerify: true }, clock);
    const caller = new AbortController();
    const dialling = expect(open({ host: '127.0.0.1', port }, caller.signal)).rejects.toMatchObject({
      code: 'proxmox_timeout',
    });
    await accepted.promise;
    caller.abort();
    await dialling;
    expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
    await expect(open({ host: '127.0.0.1', port }, caller.signal)).rejects.toMatchObject({
      code: 'proxmox_timeout',
    });
    expect(clock.pending()).toBe(0);
  });
});

test('a connection that breaks before the caller uses it does not end the process', async () => {
  const { certPem, keyPem } = authority.issue({ name: 'pve1', fqdn: 'pve1.example', address: '127.0.0.1' });
  const accepted = Promise.withResolvers<Socket>();
  const port = await listening(
    createServer((socket) => {
      const tls = createTlsServer({ cert: certPem, key: keyPem }, () => accepted.resolve(socket));
      tls.emit('connection', socket);
    }),
  );
  const open = createProxmoxDial({ insecureSkipVerify: true }, createFakeClock());
  const socket = await open({ host: '127.0.0.1', port });
  socket.resume();
  (await accepted.promise).resetAndDestroy();
  // Without the listener of the dial this is an uncaught exception.
  await eventually('the connection is gone', () => socket.closed);
});

test('a connection leaves no listener on the signal of its caller', async () => {
  const { port } = await aNode();
  const open = createProxmoxDial({ insecureSkipVerify: false, ...withCa }, createFakeClock());
  const { signal } = new AbortController();
  for (let i = 0; i < 2; i++) {
    const socket = await open({ host: '127.0.0.1', port }, signal);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(socket.listenerCount('secureConnect') + socket.listenerCount('end')).toBe(1); // Node's own
    socket.destroy();
  }
});

test('a connection offers ML-KEM only with postQuantum', async () => {
  const groups: unknown[] = [];
  for (const postQuantum of [false, true]) {
    const { port } = await aNode();
    const open = createProxmoxDial({ insecureSkipVerify: false, postQuantum, ...withCa }, createFakeClock());
    const socket = await open({ host: '127.0.0.1', port });
    groups.push(socket.getEphemeralKeyInfo());
    socket.destroy();
  }
  expect(groups[0]).toMatchObject({ name: 'X25519' });
  expect(groups[1]).not.toMatchObject({ name: 'X25519' });
});
