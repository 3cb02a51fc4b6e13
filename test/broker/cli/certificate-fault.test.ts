import { certificateFaultOf } from '@porthole/broker/cli/doctor/certificate-fault';
import { PortholeError } from '@porthole/shared/errors';
import fc from 'fast-check';
import { checkServerIdentity } from 'node:tls';

const host = 'pve1.example.org';

/** The error of Node for a certificate with these names. */
function aMismatch(subjectaltname: string | undefined, CN = 'pve1') {
  const certificate = { subject: { CN }, ...(subjectaltname === undefined ? {} : { subjectaltname }) };
  const cause = checkServerIdentity(
    host,
    certificate as unknown as Parameters<typeof checkServerIdentity>[1],
  );
  return new PortholeError('proxmox_tls', { detail: cause?.message ?? '', cause });
}

const openssl = (code: string) =>
  new PortholeError('proxmox_tls', { detail: code, cause: Object.assign(new Error(code), { code }) });

describe('the fault of a certificate', () => {
  test('for another name lists the names that it contains', () => {
    const names = 'DNS:localhost, DNS:pve1, IP Address:127.0.0.1, IP Address:192.0.2.11';
    expect(certificateFaultOf(aMismatch(names), host, {})).toEqual({
      reason: 'name',
      what: 'Its certificate is not for pve1.example.org, but for: localhost, pve1, 127.0.0.1, 192.0.2.11.',
    });
    expect(certificateFaultOf(aMismatch(undefined), host, {}).what).toContain('but for: pve1.');
  });

  test('is found behind an open circuit breaker', () => {
    const error = new PortholeError('proxmox_tls', { cause: aMismatch('DNS:pve1') });
    expect(certificateFaultOf(error, host, {}).reason).toBe('name');
  });

  test.each([
    ['SELF_SIGNED_CERT_IN_CHAIN', 'authority'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'authority'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'authority'],
    ['CERT_HAS_EXPIRED', 'validity'],
    ['CERT_NOT_YET_VALID', 'validity'],
  ])('%s is a matter of %s', (code, reason) => {
    expect(certificateFaultOf(openssl(code), host, {}).reason).toBe(reason);
  });

  test('is its fingerprint if fingerprints are pinned', () => {
    const error = new PortholeError('proxmox_tls', { detail: 'is not pinned' });
    expect(certificateFaultOf(error, host, { fingerprints: ['AB'] }).reason).toBe('fingerprint');
    expect(certificateFaultOf(error, host, {}).reason).toBe('authority');
  });

  test('is short, whatever names a hostile peer shows', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '.', '-', '1'), maxLength: 5000 }), (names) => {
        expect(certificateFaultOf(aMismatch(`DNS:pve1, ${names}`), host, {}).what.length).toBeLessThan(700);
      }),
    );
  });
});
