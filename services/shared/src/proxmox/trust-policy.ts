import { createSecureContext, type SecureContext } from 'node:tls';
import type { ClusterConfig } from '../config/schema.ts';
import { PortholeError } from '../errors.ts';

/** What the certificate of a Proxmox node is verified against. Never changes: a changed setting makes a new policy. */
export interface TrustPolicy {
  readonly secureContext: SecureContext;
  /** Whether the chain and the names of the certificate are verified. */
  readonly verifyChain: boolean;
  /**
   * SHA-256 fingerprints, one of which the certificate must have. They replace the chain, because the CA that signs
   * Proxmox's own certificates is known to its cluster only.
   */
  readonly fingerprints: ReadonlySet<string> | undefined;
}

/**
 * Returns the policy of the current settings, and the same object as long as they stay the same. What was verified
 * under one policy is not valid under another. Throws `proxmox_tls` if the CA file holds no certificate.
 */
export type ReadTrustPolicy = () => TrustPolicy;

/**
 * Key exchange without ML-KEM. OpenSSL makes and keeps an ML-KEM key pair per connection, which takes 13 KiB of each
 * console's memory and much of the CPU time of an opening (docs/performance.md).
 */
const classicGroups = 'X25519:P-256:P-384:P-521';

/** Compares the settings at each call, and creates a policy only if they changed, because that takes milliseconds. */
export function createTrustPolicyReader(tls: ClusterConfig['tls']): ReadTrustPolicy {
  let settings: string | undefined;
  let policy: TrustPolicy | undefined;
  return () => {
    const ca = tls.caFile?.();
    const { fingerprints, insecureSkipVerify, postQuantum } = tls;
    const found = JSON.stringify([ca, fingerprints, insecureSkipVerify, postQuantum]);
    if (policy === undefined || found !== settings) {
      policy = {
        secureContext: createContext(ca, postQuantum),
        verifyChain: !fingerprints && !insecureSkipVerify,
        fingerprints: fingerprints && new Set(fingerprints),
      };
      settings = found;
    }
    return policy;
  };
}

function createContext(ca: string | undefined, postQuantum: boolean | undefined): SecureContext {
  try {
    const ecdhCurve = postQuantum ? 'auto' : classicGroups;
    return createSecureContext({ ecdhCurve, ...(ca === undefined ? {} : { ca }) });
  } catch (error) {
    throw new PortholeError('proxmox_tls', {
      detail: 'the CA file does not hold a PEM certificate',
      cause: error,
    });
  }
}
