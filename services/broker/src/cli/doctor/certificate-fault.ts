import type { ClusterConfig } from '@porthole/shared/config/schema';
import { PortholeError } from '@porthole/shared/errors';

/** `authority` also stands for every fault without a name of its own, such as a port without TLS. */
export type CertificateFaultReason = 'name' | 'validity' | 'fingerprint' | 'authority';

/** Why the certificate of a Proxmox node was refused. */
export interface CertificateFault {
  readonly reason: CertificateFaultReason;
  readonly what: string;
}

/** Names come from a peer that is not verified. */
const maxNamesLength = 500;

/** Explains a `proxmox_tls` error of a connection to `host`, a name or an address. */
export function certificateFaultOf(
  error: PortholeError,
  host: string,
  tls: Pick<ClusterConfig['tls'], 'fingerprints'>,
): CertificateFault {
  const what = error.detail ?? error.message;
  const { code, cert } = tlsErrorOf(error);
  switch (code) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return { reason: 'name', what: `Its certificate is not for ${host}, but for: ${namesOf(cert)}.` };
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return { reason: 'validity', what };
    case undefined:
      // With fingerprints, OpenSSL verifies nothing, so it reports no error.
      return { reason: tls.fingerprints ? 'fingerprint' : 'authority', what };
    default:
      return { reason: 'authority', what };
  }
}

interface TlsError {
  readonly code?: string;
  readonly cert?: Certificate;
}

interface Certificate {
  readonly subject?: { readonly CN?: string | readonly string[] };
  readonly subjectaltname?: string;
}

/** The error of Node or OpenSSL, also behind an error of the circuit breaker. */
function tlsErrorOf(error: PortholeError): TlsError {
  const { cause } = error;
  if (cause instanceof PortholeError) return tlsErrorOf(cause);
  return typeof cause === 'object' && cause !== null ? cause : {};
}

/** For example "localhost, pve1, 192.0.2.11". */
function namesOf({ subject, subjectaltname }: Certificate = {}): string {
  const names =
    subjectaltname?.replaceAll(/(^|, )(?:DNS|IP Address):/g, '$1') ??
    [subject?.CN ?? 'no name'].flat().join(', ');
  return names.length > maxNamesLength ? `${names.slice(0, maxNamesLength)}…` : names;
}
