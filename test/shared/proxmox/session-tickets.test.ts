import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import type { ClusterConfig } from '@porthole/shared/config/schema';
import { createProxmoxClient } from '@porthole/shared/proxmox/client';
import { createProxmoxDial } from '@porthole/shared/proxmox/dial';
import { z } from 'zod';
import { createFakeClock } from '../../fakes/clock.ts';
import { createCertificateAuthority } from '../../fakes/proxmox/certificates.ts';
import { clusterConfig, token } from './cluster.ts';
import { startTlsServer, type TlsServer } from './tls-server.ts';

type Tls = ClusterConfig['tls'];

const authority = createCertificateAuthority();
const otherAuthority = createCertificateAuthority();
const issue = (by = authority, name = 'pve1', address = '127.0.0.1') =>
  by.issue({ name, fqdn: `${name}.example`, address });
const certificate = issue();
const otherCertificate = issue();
const strangeCertificate = issue(otherAuthority);

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function aServer(...args: Parameters<typeof startTlsServer>): Promise<TlsServer> {
  const server = await startTlsServer(...args);
  closing.push(() => server.close());
  return server;
}

/** The settings of a cluster as a test changes them between connections. */
function trust(settings: Partial<Tls>): Tls {
  return { insecureSkipVerify: false, ...settings };
}
const pinning = (...of: { fingerprint: string }[]) =>
  trust({ fingerprints: of.map((one) => one.fingerprint) });
const trustingCa = () => trust({ caFile: () => authority.caPem });

const version = { path: '/version', schema: z.object({ data: z.object({ version: z.string() }) }) };

/** A client whose calls carry the API token, and whose circuit breaker is closed before each call. */
function aClient({ url }: Pick<TlsServer, 'url'>, tls: Tls) {
  const clock = createFakeClock();
  const cluster = { ...clusterConfig(url, authority.caPem), tls };
  const client = createProxmoxClient({ cluster, credential: cluster.credential, clock });
  closing.push(() => client.close());
  return async () => {
    clock.advance(10_000);
    return client.get(version).then(
      () => 'ok',
      (error: { code: string }) => error.code,
    );
  };
}

/** Dials with one set of session tickets, and reads until the server has nothing more to say. */
function aDialler({ host, port }: Pick<TlsServer, 'host' | 'port'>, tls: Tls, nodeName?: string) {
  const clock = createFakeClock();
  const dial = createProxmoxDial(tls, clock);
  return {
    clock,
    open: () => dial({ host, port, nodeName }),
    connect: () => dial({ host, port, nodeName }).then(finish, (error: { code: string }) => error.code),
  };
}

/** Says whether the session was resumed, after the server's tickets were read. */
async function finish(socket: TLSSocket): Promise<'full' | 'resumed'> {
  const resumed = socket.isSessionReused();
  const answered = once(socket, 'data');
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await answered;
  socket.resume().destroy();
  await once(socket, 'close');
  return resumed ? 'resumed' : 'full';
}

async function times(count: number, run: () => Promise<string>): Promise<string[]> {
  const results: string[] = [];
  for (let i = 0; i < count; i++) results.push(await run());
  return results;
}

const kinds = [
  { name: 'TLS 1.2 with tickets', options: { version: 'TLSv1.2' } },
  { name: 'TLS 1.2 with session IDs', options: { version: 'TLSv1.2', sessionIds: true } },
  { name: 'TLS 1.3', options: { version: 'TLSv1.3' } },
] as const;

describe.each(kinds)('an impostor that speaks $name', ({ options }) => {
  const attempts = 5;

  async function expectNoCredential(server: TlsServer, tls: Tls): Promise<void> {
    const call = aClient(server, tls);
    expect(await times(attempts, call)).toEqual(Array(attempts).fill('proxmox_tls'));
    expect(server.received()).toBe('');
    expect(server.handshakes).not.toContain('resumed');
  }

  test('whose certificate is not the pinned one never reads the credential', async () => {
    const server = await aServer(otherCertificate, options);
    await expectNoCredential(server, pinning(certificate));
  });

  test('whose certificate is from another CA never reads the credential', async () => {
    const server = await aServer(strangeCertificate, options);
    await expectNoCredential(server, trustingCa());
  });

  test('that is another node of the same cluster never reads the credential', async () => {
    const elsewhere = { ...options, host: '127.0.0.9' };
    const server = await aServer(issue(authority, 'pve2', '10.0.0.2'), elsewhere);
    const { connect } = aDialler(server, trustingCa(), 'pve1');
    expect(await times(attempts, connect)).toEqual(Array(attempts).fill('proxmox_tls'));
    expect(server.received()).toBe('');
    expect(server.handshakes).not.toContain('resumed');
  });

  test.each([
    ['a pinned certificate', () => pinning(certificate)],
    ['a CA', trustingCa],
  ])('never reads the credential in place of a node that was verified by %s', async (_name, settings) => {
    const node = await aServer(certificate, options);
    const call = aClient(node, settings());
    expect(await call()).toBe('ok');
    expect(node.received()).toContain(token.secret);
    closing.pop();
    closing.pop();
    await node.close();
    const impostor = await aServer(strangeCertificate, { ...options, port: node.port });
    expect(await times(attempts, call)).toEqual(Array(attempts).fill('proxmox_tls'));
    expect(impostor.received()).toBe('');
  });

  test('does not spoil the connection to the node that comes back', async () => {
    const impostor = await aServer(otherCertificate, options);
    const { connect } = aDialler(impostor, pinning(certificate));
    await times(2, connect);
    closing.pop();
    await impostor.close();
    await aServer(certificate, { ...options, port: impostor.port });
    expect(await times(2, connect)).toEqual(['full', 'resumed']);
  });
});

describe.each(kinds)('a session of $name', ({ options }) => {
  test.each([
    ['a pinned certificate', () => pinning(certificate), undefined],
    ['a CA', trustingCa, undefined],
    ['a CA and the name of the node', trustingCa, 'pve1'],
    ['nothing', () => trust({ insecureSkipVerify: true }), undefined],
  ])('is resumed for five minutes when it was verified by %s', async (_name, settings, nodeName) => {
    const server = await aServer(certificate, options);
    const { clock, connect } = aDialler(server, settings(), nodeName);
    expect(await times(3, connect)).toEqual(['full', 'resumed', 'resumed']);
    clock.advance(5 * 60_000);
    expect(await times(2, connect)).toEqual(['full', 'resumed']);
    expect(server.handshakes).toEqual(['full', 'resumed', 'resumed', 'full', 'resumed']);
  });

  test('is not resumed when its certificate is no longer pinned', async () => {
    const server = await aServer(certificate, options);
    const tls = pinning(certificate, otherCertificate);
    const { connect } = aDialler(server, tls);
    expect(await times(2, connect)).toEqual(['full', 'resumed']);
    tls.fingerprints = [otherCertificate.fingerprint];
    expect(await times(3, connect)).toEqual(Array(3).fill('proxmox_tls'));
    tls.fingerprints = [certificate.fingerprint];
    expect(await times(2, connect)).toEqual(['full', 'resumed']);
  });

  test('is not resumed after certificate and pin were renewed', async () => {
    const server = await aServer(certificate, options);
    const tls = pinning(certificate);
    const { connect } = aDialler(server, tls);
    expect(await times(2, connect)).toEqual(['full', 'resumed']);
    if (!('sessionIds' in options)) server.replaceCertificate(otherCertificate);
    else {
      await server.close();
      await aServer(otherCertificate, { ...options, port: server.port });
    }
    tls.fingerprints = [otherCertificate.fingerprint];
    expect(await times(2, connect)).toEqual(['full', 'resumed']);
  });

  test('is not resumed when the CA file has changed', async () => {
    const server = await aServer(certificate, options);
    let pem = authority.caPem;
    const { connect } = aDialler(server, trust({ caFile: () => pem }));
    expect(await times(2, connect)).toEqual(['full', 'resumed']);
    pem = otherAuthority.caPem;
    expect(await times(2, connect)).toEqual(['proxmox_tls', 'proxmox_tls']);
    pem = authority.caPem + otherAuthority.caPem;
    expect(await times(2, connect)).toEqual(['full', 'resumed']);
  });

  test('that was not verified is not resumed once peers are', async () => {
    const server = await aServer(strangeCertificate, options);
    const tls = trust({ insecureSkipVerify: true });
    const { connect } = aDialler(server, tls);
    expect(await times(2, connect)).toEqual(['full', 'resumed']);
    tls.insecureSkipVerify = false;
    tls.caFile = () => authority.caPem;
    expect(await times(2, connect)).toEqual(['proxmox_tls', 'proxmox_tls']);
  });

  test('whose ticket is read only after the pins changed is not resumed', async () => {
    const server = await aServer(certificate, options);
    const tls = pinning(certificate, otherCertificate);
    const { open, connect } = aDialler(server, tls);
    const socket = await open();
    tls.fingerprints = [certificate.fingerprint];
    await finish(socket);
    expect(await times(2, connect)).toEqual(['full', 'resumed']);
  });
});

describe('a kept HTTP connection', () => {
  test('is used again while the settings stay the same', async () => {
    const server = await aServer(certificate);
    const call = aClient(server, pinning(certificate));
    for (let i = 0; i < 3; i++) {
      expect(await call()).toBe('ok');
      await setImmediate();
    }
    expect(server.handshakes).toEqual(['full']);
  });

  test('is not used after its certificate is no longer pinned', async () => {
    const server = await aServer(certificate);
    const tls = pinning(certificate);
    const call = aClient(server, tls);
    expect(await call()).toBe('ok');
    await setImmediate();
    const before = server.received();
    tls.fingerprints = [otherCertificate.fingerprint];
    expect(await times(3, call)).toEqual(Array(3).fill('proxmox_tls'));
    expect(server.received()).toBe(before);
  });

  test('is not used after the CA file changed or holds no certificate', async () => {
    const server = await aServer(certificate);
    let pem = authority.caPem;
    const call = aClient(server, trust({ caFile: () => pem }));
    expect(await call()).toBe('ok');
    await setImmediate();
    const before = server.received();
    for (pem of [otherAuthority.caPem, 'no certificate']) {
      expect(await times(2, call)).toEqual(['proxmox_tls', 'proxmox_tls']);
      expect(server.received()).toBe(before);
    }
    pem = authority.caPem;
    expect(await call()).toBe('ok');
  });
});
