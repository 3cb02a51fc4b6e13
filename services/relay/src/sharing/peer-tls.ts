import { constants } from 'node:crypto';
import type { ConnectionOptions, TlsOptions } from 'node:tls';
import type { PeerKeys } from './peer-keys.ts';

/**
 * TLS with a pre-shared key: both sides prove that they know a grant key, and there are no certificates. TLS 1.2, because
 * Node does not offer pre-shared keys with TLS 1.3. The only cipher has forward secrecy (ECDHE) and is authenticated.
 */
const options = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
  // A session ticket would outlive the key that it was issued for.
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
} as const;

export function peerServerTls(keys: PeerKeys): TlsOptions {
  return { ...options, pskCallback: (_socket, identity) => keys.find(identity)?.psk ?? null };
}

export function peerClientTls(keys: PeerKeys): ConnectionOptions {
  const { identity, psk } = keys.first();
  return {
    ...options,
    pskCallback: () => ({ identity, psk }),
    // There is no certificate whose name could be checked: the key is the identity.
    checkServerIdentity: () => undefined,
  };
}
