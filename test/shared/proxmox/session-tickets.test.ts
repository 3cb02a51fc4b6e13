import {
  authority,
  certificate,
  createDialler,
  createTlsHarness,
  finish,
  otherAuthority,
  otherCertificate,
  pinning,
  repeat,
  strangeCertificate,
  tlsVersions,
  trust,
  trustingCa,
} from './tls-harness.ts';

const { aServer, aFront, closeAll } = createTlsHarness();
afterEach(closeAll);

describe.each(tlsVersions)('a session of $name', ({ options }) => {
  test.each([
    ['a pinned certificate', () => pinning(certificate), undefined],
    ['a CA', trustingCa, undefined],
    ['a CA and the name of the node', trustingCa, 'pve1'],
    ['nothing', () => trust({ insecureSkipVerify: true }), undefined],
  ])('is resumed for five minutes when it was verified by %s', async (_name, settings, nodeName) => {
    const server = await aServer(certificate, options);
    const { clock, connect } = createDialler(server, settings(), nodeName);
    expect(await repeat(3, connect)).toEqual(['full', 'resumed', 'resumed']);
    clock.advance(5 * 60_000);
    expect(await repeat(2, connect)).toEqual(['full', 'resumed']);
    expect(server.handshakes).toEqual(['full', 'resumed', 'resumed', 'full', 'resumed']);
  });

  test('is resumed only under the node name that it was verified for', async () => {
    const { connect } = createDialler(await aServer(certificate, options), trustingCa());
    expect([await connect('pve1'), await connect('pve2'), await connect('pve1')]).toEqual([
      'full',
      'full',
      'resumed',
    ]);
  });

  test('is not resumed after an attempt to resume it failed', async () => {
    const server = await aServer(certificate, options);
    const front = await aFront(server.port);
    const { connect } = createDialler(front, pinning(certificate));
    expect(await repeat(2, connect)).toEqual(['full', 'resumed']);
    front.refuse = true;
    expect(await connect()).toBe('proxmox_unreachable');
    front.refuse = false;
    expect(await repeat(2, connect)).toEqual(['full', 'resumed']);
  });

  test('is resumed after an attempt was cancelled', async () => {
    const { open, connect } = createDialler(await aServer(certificate, options), pinning(certificate));
    expect(await connect()).toBe('full');
    const caller = new AbortController();
    const cancelled = expect(open(caller.signal)).rejects.toMatchObject({ code: 'proxmox_timeout' });
    caller.abort();
    await cancelled;
    expect(await connect()).toBe('resumed');
  });

  test('is not resumed when its certificate is no longer pinned', async () => {
    const server = await aServer(certificate, options);
    const tls = pinning(certificate, otherCertificate);
    const { connect } = createDialler(server, tls);
    expect(await repeat(2, connect)).toEqual(['full', 'resumed']);
    tls.fingerprints = [otherCertificate.fingerprint];
    expect(await repeat(3, connect)).toEqual(Array(3).fill('proxmox_tls'));
    tls.fingerprints = [certificate.fingerprint];
    expect(await repeat(2, connect)).toEqual(['full', 'resumed']);
  });

  test('is not resumed after certificate and pin were renewed', async () => {
    const server = await aServer(certificate, options);
    const tls = pinning(certificate);
    const { connect } = createDialler(server, tls);
    expect(await repeat(2, connect)).toEqual(['full', 'resumed']);
    if (!('sessionIds' in options)) server.replaceCertificate(otherCertificate);
    else {
      await server.close();
      await aServer(otherCertificate, { ...options, port: server.port });
    }
    tls.fingerprints = [otherCertificate.fingerprint];
    expect(await repeat(2, connect)).toEqual(['full', 'resumed']);
  });

  test('is not resumed when the CA file has changed', async () => {
    const server = await aServer(certificate, options);
    let pem = authority.caPem;
    const { connect } = createDialler(server, trust({ caFile: () => pem }));
    expect(await repeat(2, connect)).toEqual(['full', 'resumed']);
    pem = otherAuthority.caPem;
    expect(await repeat(2, connect)).toEqual(['proxmox_tls', 'proxmox_tls']);
    pem = authority.caPem + otherAuthority.caPem;
    expect(await repeat(2, connect)).toEqual(['full', 'resumed']);
  });

  test('that was not verified is not resumed once peers are', async () => {
    const server = await aServer(strangeCertificate, options);
    const tls = trust({ insecureSkipVerify: true });
    const { connect } = createDialler(server, tls);
    expect(await repeat(2, connect)).toEqual(['full', 'resumed']);
    tls.insecureSkipVerify = false;
    tls.caFile = () => authority.caPem;
    expect(await repeat(2, connect)).toEqual(['proxmox_tls', 'proxmox_tls']);
  });

  test('whose ticket is read only after the pins changed is not resumed', async () => {
    const server = await aServer(certificate, options);
    const tls = pinning(certificate, otherCertificate);
    const { open, connect } = createDialler(server, tls);
    const socket = await open();
    tls.fingerprints = [certificate.fingerprint];
    await finish(socket);
    expect(await repeat(2, connect)).toEqual(['full', 'resumed']);
  });
});
