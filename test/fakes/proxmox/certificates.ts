import { generateKeyPairSync, randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { bits, der, distinguishedName, generalName, octets, oid, sequence, truth, utcTime } from './der.ts';

/**
 * The cluster's own certificate authority and its nodes' certificates, as Proxmox makes them (`pvecm updatecerts`):
 * one CA named "Proxmox Virtual Environment", one certificate per node. The keys are P-256 instead of RSA because
 * every test file makes a cluster and RSA keys take long to find.
 */
export interface NodeCertificate {
  readonly certPem: string;
  readonly keyPem: string;
  /** SHA-256 in Proxmox's own format, `AA:BB:...`, as in `ssl_fingerprint` of GET /nodes. */
  readonly fingerprint: string;
}

export interface CertificateAuthority {
  readonly caPem: string;
  /** Proxmox issues server certificates; other fakes need client certificates, too. */
  issue(node: { name: string; fqdn: string; address: string; use?: 'client' }): NodeCertificate;
}

const days = (count: number) => count * 24 * 3600 * 1000;
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
const critical = true;

export function createCertificateAuthority(): CertificateAuthority {
  const caName = distinguishedName({
    CN: 'Proxmox Virtual Environment',
    OU: randomBytes(8).toString('hex'),
    O: 'PVE Cluster Manager CA',
  });
  const ca = newKeys();
  const caPem = certificate({
    subject: caName,
    issuer: caName,
    publicKey: ca.publicKey,
    signingKey: ca.privateKey,
    lifeDays: 3650,
    extensions: [
      extension('551d13', sequence(truth), critical), // basicConstraints: a CA
      extension('551d0f', bits(Buffer.from([0x06]), 1), critical), // keyUsage: signs certificates and CRLs
    ],
  });
  return {
    caPem,
    issue({ name, fqdn, address, use }) {
      const names = new Set(['127.0.0.1', '::1', 'localhost', address, name, fqdn]);
      const keys = newKeys();
      const certPem = certificate({
        subject: distinguishedName({ CN: fqdn, OU: 'PVE Cluster Node', O: 'Proxmox Virtual Environment' }),
        issuer: caName,
        publicKey: keys.publicKey,
        signingKey: ca.privateKey,
        lifeDays: 730,
        extensions: [
          extension('551d13', sequence(), critical), // basicConstraints: not a CA
          // extKeyUsage: clientAuth or serverAuth
          extension('551d25', sequence(oid(use === 'client' ? '2b06010505070302' : '2b06010505070301'))),
          extension('551d11', sequence(...[...names].map(generalName))), // subjectAltName
        ],
      });
      const keyPem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      return { certPem, keyPem, fingerprint: new X509Certificate(certPem).fingerprint256 };
    },
  };
}

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return sequence(oid(id), ...(isCritical ? [truth] : []), octets(value));
}

/** RFC 5280, section 4.1. */
function certificate(options: {
  subject: Buffer;
  issuer: Buffer;
  publicKey: KeyObject;
  signingKey: KeyObject;
  lifeDays: number;
  extensions: Buffer[];
}): string {
  // Clients check validity against the real time, whatever the injected clock says.
  const from = Date.now() - days(1);
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    ecdsaWithSha256,
    options.issuer,
    sequence(utcTime(new Date(from)), utcTime(new Date(from + days(options.lifeDays)))),
    options.subject,
    options.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...options.extensions)),
  );
  const signature = sign('sha256', toBeSigned, options.signingKey);
  const base64 = sequence(toBeSigned, ecdsaWithSha256, bits(signature)).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}(?!$)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}
