import { setImmediate } from 'node:timers/promises';
import { token } from './cluster.ts';
import {
  authority,
  certificate,
  createDialler,
  createTlsHarness,
  issue,
  otherAuthority,
  otherCertificate,
  pinning,
  repeat,
  strangeCertificate,
  tlsVersions,
  trust,
  trustingCa,
  type Tls,
} from './tls-harness.ts';
import type { TlsServer } from './tls-server.ts';

const { aServer, aCaller, closeAll } = createTlsHarness();
afterEach(closeAll);

describe.each(tlsVersions)('an impostor that speaks $name', ({ options }) => {
  const attempts = 5;

  async function expectNoCredential(server: TlsServer, tls: Tls): Promise<void> {
    const call = aCaller(server, tls);
    expect(await repeat(attempts, call)).toEqual(Array(attempts).fill('proxmox_tls'));
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
    const { connect } = createDialler(server, trustingCa(), 'pve1');
    expect(await repeat(attempts, connect)).toEqual(Array(attempts).fill('proxmox_tls'));
    expect(server.received()).toBe('');
    expect(server.handshakes).not.toContain('resumed');
  });

  test.each([
    ['a pinned certificate', () => pinning(certificate)],
    ['a CA', trustingCa],
  ])('never reads the credential in place of a node that was verified by %s', async (_name, settings) => {
    const node = await aServer(certificate, options);
    const call = aCaller(node, settings());
    expect(await call()).toBe('ok');
    expect(node.received()).toContain(token.secret);
    await node.close();
    const impostor = await aServer(strangeCertificate, { ...options, port: node.port });
    expect(await repeat(attempts, call)).toEqual(Array(attempts).fill('proxmox_tls'));
    expect(impostor.received()).toBe('');
  });

  test('does not spoil the connection to the node that comes back', async () => {
    const impostor = await aServer(otherCertificate, options);
    const { connect } = createDialler(impostor, pinning(certificate));
    await repeat(2, connect);
    await impostor.close();
    await aServer(certificate, { ...options, port: impostor.port });
    expect(await repeat(2, connect)).toEqual(['full', 'resumed']);
  });
});

describe('a kept HTTP connection', () => {
  test('is used again while the settings stay the same', async () => {
    const server = await aServer(certificate);
    const call = aCaller(server, pinning(certificate));
    for (let i = 0; i < 3; i++) {
      expect(await call()).toBe('ok');
      await setImmediate();
    }
    expect(server.handshakes).toEqual(['full']);
  });

  test('is not used after its certificate is no longer pinned', async () => {
    const server = await aServer(certificate);
    const tls = pinning(certificate);
    const call = aCaller(server, tls);
    expect(await call()).toBe('ok');
    await setImmediate();
    const before = server.received();
    tls.fingerprints = [otherCertificate.fingerprint];
    expect(await repeat(3, call)).toEqual(Array(3).fill('proxmox_tls'));
    expect(server.received()).toBe(before);
  });

  test('is not used after the CA file changed or holds no certificate', async () => {
    const server = await aServer(certificate);
    let pem = authority.caPem;
    const call = aCaller(server, trust({ caFile: () => pem }));
    expect(await call()).toBe('ok');
    await setImmediate();
    const before = server.received();
    for (pem of [otherAuthority.caPem, 'no certificate']) {
      expect(await repeat(2, call)).toEqual(['proxmox_tls', 'proxmox_tls']);
      expect(server.received()).toBe(before);
    }
    pem = authority.caPem;
    expect(await call()).toBe('ok');
  });
});
