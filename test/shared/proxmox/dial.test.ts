import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
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

/** Listens on a free port and lets go of everything after the test. */
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

/** A node whose certificate is good for `name` and for the address, 127.0.0.1 unless said otherwise. */
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

/** Whether the TLS session was taken up again. The ticket for the next one comes behind the handshake. */
async function resumed(opening: Promise<TLSSocket>): Promise<boolean> {
  const socket = await opening;
  const reused = socket.isSessionReused();
  socket.resume().end();
  await once(socket, 'close');
  return reused;
}

describe('the TLS session of a node', () => {
  async function aDial(tls: Partial<Tls>, known?: NodeCertificate) {
    const port = known ? await serve(known) : (await aNode()).port;
    const clock = createFakeClock();
    const open = createProxmoxDial({ insecureSkipVerify: false, ...tls }, clock);
    return { clock, again: (nodeName?: string) => resumed(open({ host: '127.0.0.1', port, nodeName })) };
  }

  test('is taken up again by the next console, for five minutes', async () => {
    const { clock, again } = await aDial(withCa);
    expect([await again(), await again(), await again()]).toEqual([false, true, true]);
    clock.advance(5 * 60_000);
    expect([await again(), await again()]).toEqual([false, true]);
  });

  test('is taken up where certificates are pinned, too, and never from a node that has another one', async () => {
    const { certificate } = await aNode();
    const { again } = await aDial({ fingerprints: [certificate.fingerprint] }, certificate);
    expect([await again(), await again()]).toEqual([false, true]);
    const other = await aDial({ fingerprints: [certificate.fingerprint] });
    for (let round = 0; round < 3; round++)
      await expect(other.again()).rejects.toMatchObject({ code: 'proxmox_tls' });
  });

  test('is worth nothing once the authorities have changed', async () => {
    let pem = authority.caPem;
    const { again } = await aDial({ caFile: () => pem });
    expect([await again(), await again()]).toEqual([false, true]);
    pem = stranger.caPem;
    await expect(again()).rejects.toMatchObject({ code: 'proxmox_tls' });
  });

  test('is not offered under another name', async () => {
    const { again } = await aDial(withCa);
    expect([await again('pve1'), await again('pve2'), await again('pve1')]).toEqual([false, false, true]);
  });

  test('is begun without ML-KEM, unless that is wanted', async () => {
    const groups: unknown[] = [];
    for (const postQuantum of [false, true]) {
      const { port } = await aNode();
      const open = createProxmoxDial(
        { insecureSkipVerify: false, postQuantum, ...withCa },
        createFakeClock(),
      );
      const socket = await open({ host: '127.0.0.1', port });
      groups.push(socket.getEphemeralKeyInfo());
      socket.destroy();
    }
    expect(groups[0]).toMatchObject({ name: 'X25519' });
    expect(groups[1]).not.toMatchObject({ name: 'X25519' });
  });
});

describe('a node of Proxmox', () => {
  test('is trusted by the CA of its cluster', async () => {
    const { port } = await aNode();
    expect(await dial(withCa, { port })).toBe(true);
  });

  test('is not trusted without that CA, nor with another one', async () => {
    const { port } = await aNode();
    await expect(dial({}, { port })).rejects.toMatchObject({ code: 'proxmox_tls' });
    await expect(dial({ caFile: () => stranger.caPem }, { port })).rejects.toMatchObject({
      code: 'proxmox_tls',
    });
  });

  test('is not trusted with a CA file that holds no certificate', async () => {
    const { port } = await aNode();
    await expect(dial({ caFile: () => 'no PEM' }, { port })).rejects.toMatchObject({ code: 'proxmox_tls' });
  });

  test('is trusted by a CA that was put into the file later', async () => {
    const { port } = await aNode();
    let pem = stranger.caPem;
    const open = createProxmoxDial({ insecureSkipVerify: false, caFile: () => pem }, createFakeClock());
    await expect(open({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'proxmox_tls' });
    pem = authority.caPem;
    (await open({ host: '127.0.0.1', port })).destroy();
  });

  test('is trusted by its fingerprint, whoever signed it', async () => {
    const { port, certificate } = await aNode({ by: stranger, address: '10.9.9.9' });
    expect(await dial({ fingerprints: ['AA', certificate.fingerprint] }, { port })).toBe(true);
  });

  test('is not trusted with another fingerprint, which the log is told', async () => {
    const { port, certificate } = await aNode();
    const other = Array(32).fill('AA').join(':');
    await expect(dial({ fingerprints: [other] }, { port })).rejects.toMatchObject({
      code: 'proxmox_tls',
      detail: expect.stringContaining(certificate.fingerprint),
    });
  });

  test('is trusted in any case when nothing is to be verified', async () => {
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

  test('is good for its address and its name', async () => {
    const { port } = await aNode();
    expect(await dial(withCa, { port, host: 'localhost' })).toBe(true);
  });

  test('that does not carry the address is good when it carries the name of the node that was meant', async () => {
    const port = await onAnotherAddress();
    expect(await dial(withCa, { port, host: elsewhere, nodeName: 'pve1' })).toBe(true);
  });

  test('of another node of the same cluster is not good', async () => {
    const port = await onAnotherAddress();
    for (const target of [{ nodeName: 'pve2' }, {}])
      await expect(dial(withCa, { port, host: elsewhere, ...target })).rejects.toMatchObject({
        code: 'proxmox_tls',
      });
  });
});

describe('a connection that does not come about', () => {
  test('is unreachable where nobody listens', async () => {
    const { port } = await aNode();
    await closing.pop()?.();
    await expect(dial(withCa, { port })).rejects.toMatchObject({ code: 'proxmox_unreachable' });
  });

  test('is unreachable when Proxmox closes it before TLS, as it does to addresses that it denies', async () => {
    const port = await listening(createServer((socket) => socket.end()));
    await expect(dial(withCa, { port })).rejects.toMatchObject({ code: 'proxmox_unreachable' });
    const rude = await listening(createServer((socket) => socket.resetAndDestroy()));
    await expect(dial(withCa, { port: rude })).rejects.toMatchObject({ code: 'proxmox_unreachable' });
  });

  test('is no TLS when something else answers there', async () => {
    const port = await listening(createServer((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')));
    await expect(dial(withCa, { port })).rejects.toMatchObject({ code: 'proxmox_tls' });
  });

  test('times out with a server that accepts and says nothing', async () => {
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

  test('is given up at once when the caller is gone, before or while it is tried', async () => {
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
    await expect(open({ host: '127.0.0.1', port }, caller.signal)).rejects.toMatchObject({
      code: 'proxmox_timeout',
    });
    expect(clock.pending()).toBe(0);
  });
});

test('a connection that breaks before anybody uses it does not take the process down', async () => {
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
  // Without a listener of the dial's own this would be an uncaught exception.
  await eventually('the connection is gone', () => socket.closed);
});
