import { createHash } from 'node:crypto';

/**
 * Every name and lifetime in the store, in one place. Names hold digests only, so a listing of the store's
 * keys tells nobody who uses what; where the name behind could be guessed, the digest is keyed (hidden-names.ts).
 * Braces are Redis Cluster hash tags: keys of one lease live on one shard.
 */
export const storeKeys = {
  grant: (token: Uint8Array) => `porthole:grant:${digest(token)}`,
  /** By the digest of the cookie's secret, so that an operator can end a sign-in without knowing it. */
  login: (tokenDigest: string) => `porthole:login:${tokenDigest}`,
  /** When a sign-in was last used; beside it, because a renewal must not bring back what signing out deleted. */
  loginSeen: (tokenDigest: string) => `porthole:login-seen:${tokenDigest}`,
  /** What is told about a sign-in in lists, by the digest of its public name. */
  loginInfo: (refDigest: string) => `porthole:login-info:${refDigest}`,
  /** A sign-in at an issuer that is under way. */
  pendingAuthorization: (token: Uint8Array) => `porthole:pending-authorization:${digest(token)}`,
  /** A sign-in that waits for its second factor. */
  secondFactor: (token: Uint8Array) => `porthole:second-factor:${digest(token)}`,
  /** The right to open one console again and again, and the code by which a page gets it. */
  embedToken: (token: Uint8Array) => `porthole:embed-token:${digest(token)}`,
  embedCode: (token: Uint8Array) => `porthole:embed-code:${digest(token)}`,
  /** A logout token of an issuer that was used. */
  logoutToken: (issuer: string, id: string) => `porthole:logout-token:${digest(`${issuer} ${id}`)}`,
  /** By the digest of the session's id, because that is what a listing of leases answers. */
  session: (idDigest: string) => `porthole:session:${idDigest}`,
  /** An order to end the consoles of one session, sign-in, user or machine, by its hidden name. */
  terminationOrder: (hidden: string) => `porthole:termination:${hidden}`,
  /** Changes with every such order, so that a relay that missed the signal sees that there was one. */
  terminationRevision: 'porthole:termination-revision',
  /** What stands in the audit, by the digest of a name of its own. */
  auditEntry: (idDigest: string) => `porthole:audit:${idDigest}`,
  /** By the hidden name of the lease. */
  leaseOrder: (hidden: string) => `porthole:lease:{${hidden}}:order`,
  leaseExpiry: (hidden: string) => `porthole:lease:{${hidden}}:expiry`,
  rateLimit: 'porthole:rate',
  signals: 'porthole:signals',
} as const;

/** Names of leases, before they are hidden. */
export const leaseNames = {
  /** One dial at a time per machine: QEMU has one VNC password per machine. */
  dial: (cluster: string, vmid: number) => `dial/${cluster}/${vmid}`,
  /** Console openings in flight at one node. */
  node: (cluster: string, node: string) => `node/${cluster}/${node}`,
  /** Live consoles of one user. */
  user: (userId: string) => `user/${userId}`,
  /** Live consoles of one machine. */
  machine: (cluster: string, vmid: number) => `machine/${cluster}/${vmid}`,
  /** Living sign-ins of one user, and those that an issuer knows by one name. */
  logins: (userId: string) => `logins/${userId}`,
  loginsByHandle: (handle: string) => `logins-by-handle/${handle}`,
  /** Whoever asks an issuer again about one sign-in. */
  refreshLogin: (loginRef: string) => `refresh-login/${loginRef}`,
  /** Live consoles that one relay carries, and all of them. */
  relay: (relayId: string) => `relay/${relayId}`,
  allSessions: 'sessions',
  /** What stands in the audit of one hour, counted from the epoch. */
  audit: (hour: number) => `audit/${hour}`,
} as const;

/** Milliseconds. */
export const lifetimes = {
  /** From the click to the WebSocket. */
  grant: 60_000,
  /** From the button to the issuer and back. */
  pendingAuthorization: 600_000,
  /** From the password to the code. */
  secondFactor: 300_000,
  /** From a program's answer to the page in its user's browser. */
  embedCode: 300_000,
  /** Leases of a dial or of a place in line; renewed every third of it. */
  dialLease: 15_000,
  /** Leases that count live consoles; renewed every third of it. */
  consoleLease: 90_000,
  /** The record of a live console; renewed every sixth of it. */
  session: 30_000,
  /** The places and the record of a console whose viewer was lost and may come back. */
  resumeGrace: 30_000,
  /** From the last rotation; a token is replaced every third of it. */
  resume: 120_000,
  /** What operators can look back on. */
  auditEntry: 24 * 3_600_000,
  /** Longer than any grant lives, and than a relay may be cut off from the store without noticing an order. */
  terminationOrder: 3_600_000,
} as const;

/** First 128 bits of SHA-256 would do for names; the whole of it costs nothing and is what the protocol says. */
export function digest(value: string | Uint8Array): string {
  return createHash('sha256').update(value).digest('hex');
}
