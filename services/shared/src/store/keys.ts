import { createHash } from 'node:crypto';

/**
 * All keys and lifetimes in the store. Keys contain only digests, so that a list of keys reveals nothing about users.
 * Digests of guessable names are keyed (crypto/keyed-digests.ts). Braces are Redis Cluster hash tags, which keep the
 * keys of a lease on one shard.
 */
export const storeKeys = {
  grant: (token: Uint8Array) => `porthole:grant:${digest(token)}`,
  /** A grant for the wall of a class. */
  wallGrant: (token: Uint8Array) => `porthole:wall-grant:${digest(token)}`,
  /** A sign-in, by the digest of the cookie, so that an operator can end it without knowing the cookie. */
  login: (tokenDigest: string) => `porthole:login:${tokenDigest}`,
  /** When the sign-in was last used. A separate record, because a renewal must not restore a deleted sign-in. */
  loginSeen: (tokenDigest: string) => `porthole:login-seen:${tokenDigest}`,
  /** The list entry of a sign-in, by the digest of its public id. */
  loginInfo: (refDigest: string) => `porthole:login-info:${refDigest}`,
  /** A pending authorization at an issuer. */
  pendingAuthorization: (token: Uint8Array) => `porthole:pending-authorization:${digest(token)}`,
  /** A sign-in that requires its second factor. */
  secondFactor: (token: Uint8Array) => `porthole:second-factor:${digest(token)}`,
  /** A token to open one console repeatedly, and the one-time code that an embedded page exchanges for it. */
  embedToken: (token: Uint8Array) => `porthole:embed-token:${digest(token)}`,
  embedCode: (token: Uint8Array) => `porthole:embed-code:${digest(token)}`,
  /** A launch from a learning platform: before the platform's answer, before the browser confirms, and what follows. */
  ltiLogin: (token: Uint8Array) => `porthole:lti-login:${digest(token)}`,
  ltiConfirmation: (token: Uint8Array) => `porthole:lti-confirmation:${digest(token)}`,
  ltiSelection: (token: Uint8Array) => `porthole:lti-selection:${digest(token)}`,
  ltiSignIn: (token: Uint8Array) => `porthole:lti-sign-in:${digest(token)}`,
  /** Where the members of a context are listed, and the last list, by the keyed digest of platform and context. */
  ltiMemberships: (nameDigest: string) => `porthole:lti-memberships:${nameDigest}`,
  ltiRoster: (nameDigest: string) => `porthole:lti-roster:${nameDigest}`,
  /** A used back-channel logout token, to detect replays. */
  logoutToken: (issuer: string, id: string) => `porthole:logout-token:${digest(`${issuer} ${id}`)}`,
  /** By the digest of the session id, which `LeaseStore.list` returns. */
  session: (idDigest: string) => `porthole:session:${idDigest}`,
  /** An open wall, by the digest of its id, which `LeaseStore.list` returns. */
  wall: (idDigest: string) => `porthole:wall:${idDigest}`,
  /** A termination order, by the keyed digest of its target. */
  terminationOrder: (nameDigest: string) => `porthole:termination:${nameDigest}`,
  /** Changes with every termination order, so that a relay that missed the signal notices the order. */
  terminationRevision: 'porthole:termination-revision',
  /** An entry of the audit trail, by the digest of its id. */
  auditEntry: (idDigest: string) => `porthole:audit:${idDigest}`,
  /** Which relay owns a machine's console, by the keyed digest of the machine. */
  machineOwner: (nameDigest: string) => `porthole:machine-owner:${nameDigest}`,
  /** A token with which one relay forwards a viewer to another. */
  forward: (token: Uint8Array) => `porthole:forward:${digest(token)}`,
  /** A record about a class, such as its pause, by the keyed digest of what it is and of the class. */
  classRecord: (nameDigest: string) => `porthole:class:${nameDigest}`,
  /** Who has control of a machine, by the keyed digest of the machine. */
  machineControl: (nameDigest: string) => `porthole:control:${nameDigest}`,
  /** Changes with every change of control, so that a relay that missed the signal notices it. */
  controlRevision: 'porthole:control-revision',
  /** For whom a relay holds back the other consoles of a machine, by the keyed digest of both. */
  controlConfirmation: (nameDigest: string) => `porthole:control-confirmation:${nameDigest}`,
  /** What a member of a class who raised a hand says, by the digest of the place in the queue. */
  raisedHand: (holderDigest: string) => `porthole:raised-hand:${holderDigest}`,
  /** By the keyed digest of the lease name. */
  leaseOrder: (nameDigest: string) => `porthole:lease:{${nameDigest}}:order`,
  leaseExpiry: (nameDigest: string) => `porthole:lease:{${nameDigest}}:expiry`,
  rateLimit: 'porthole:rate',
  signals: 'porthole:signals',
} as const;

/** Names of leases. The store contains only their keyed digests. */
export const leaseNames = {
  /** One dial at a time per machine, because QEMU has one VNC password per machine. */
  dial: (cluster: string, vmid: number) => `dial/${cluster}/${vmid}`,
  /** Console openings in progress at one node. */
  node: (cluster: string, node: string) => `node/${cluster}/${node}`,
  /** Held while a holder of the named lease was served recently. */
  served: (name: string) => `served/${name}`,
  /** Live consoles of one user. */
  user: (userId: string) => `user/${userId}`,
  /** Live consoles of one machine. */
  machine: (cluster: string, vmid: number) => `machine/${cluster}/${vmid}`,
  /** Walls that show a machine. */
  walls: (cluster: string, vmid: number) => `walls/${cluster}/${vmid}`,
  /** Sessions that one user may reopen. */
  reopenable: (userId: string) => `reopenable/${userId}`,
  /** Live sign-ins of one user, and those that an issuer identifies by one reference. */
  logins: (userId: string) => `logins/${userId}`,
  loginsByProviderRef: (ref: string) => `logins-by-provider-ref/${ref}`,
  /** One refresh at a time per roster. */
  refreshRoster: (platform: string, context: string) => `refresh-roster/${platform}/${context}`,
  /** One refresh at a time per sign-in. */
  refreshLogin: (loginRef: string) => `refresh-login/${loginRef}`,
  /** Live consoles of one relay, and of all relays. */
  relay: (relayId: string) => `relay/${relayId}`,
  allSessions: 'sessions',
  /** Members of a class who raised a hand, in order. */
  help: (className: string) => `help/${className}`,
  /** One start or shutdown of the machines of a class at a time. */
  startClass: (className: string) => `start-class/${className}`,
  /** Held by the broker that runs the timetable of all classes. */
  timetable: 'timetable',
  /** Held by the broker that deletes recordings whose time is over. */
  recordingRetention: 'recording-retention',
  /** One attempt at a time to start or shut down a machine for a lesson. */
  timetableTry: (task: string, machine: string) => `timetable-try/${task}/${machine}`,
  /** Entries of the audit trail in one hour since the epoch. */
  audit: (hour: number) => `audit/${hour}`,
} as const;

/** Milliseconds. */
export const lifetimes = {
  /** From the request to the WebSocket. */
  grant: 60_000,
  /** From the redirect to the issuer until the callback. */
  pendingAuthorization: 600_000,
  /** From the password to the code. */
  secondFactor: 300_000,
  /** From the response to a program until the user opens the page. */
  embedCode: 300_000,
  /** From the login request of a learning platform to its launch. */
  ltiLogin: 600_000,
  /** From the launch until the browser has asked the platform for what it stored. */
  ltiConfirmation: 60_000,
  /** From the launch until a teacher has chosen, or opened the page of a class. */
  ltiSelection: 3_600_000,
  ltiSignIn: 300_000,
  /** Since the last launch from the context. */
  ltiMemberships: 60 * 24 * 3_600_000,
  /** The last list of members. It is used this long while the platform does not respond. */
  ltiRoster: 24 * 3_600_000,
  /** Leases for a dial and for a queue position. Renewed after a third of it. */
  dialLease: 15_000,
  /** Leases that count live consoles. Renewed after a third of it. */
  consoleLease: 90_000,
  /** The record of which relay owns a machine's console. Renewed after a third of it. */
  machineOwner: 15_000,
  /** From the request of the forwarding relay to the owner's answer. */
  forward: 10_000,
  /** The record of a live session. Renewed after a sixth of it. */
  session: 30_000,
  /** The record of an open wall. Renewed after a third of it. */
  wall: 30_000,
  /** How long a wall goes on without its page having shown that the user still has the right. */
  wallRight: 120_000,
  /** The record and the quota leases of a session that can be resumed. */
  resumeGrace: 30_000,
  /** How long a session can be reopened after an outage ended it. */
  reopenable: 15 * 60_000,
  /** A resume token. Rotated after a third of it. */
  resume: 120_000,
  /** Entries of the audit trail. */
  auditEntry: 24 * 3_600_000,
  /** Longer than the life of a grant, and than the longest store outage after which relays must still find the order. */
  terminationOrder: 3_600_000,
  /** A message of an instructor: consoles that open or reconnect in this time show it. */
  classMessage: 10 * 60_000,
  /** From the end of a class: longer than the life of a grant, and than a store outage. */
  classEnding: 3_600_000,
  /** The progress of starting the machines of a class, after its last change. */
  classStart: 10 * 60_000,
  /** Held while the machines of a class are started. Renewed after a third of it. */
  classStartLease: 30_000,
  /** After this, another broker takes the timetable over. Renewed after a third of it. */
  timetableLeader: 30_000,
  /** After this, another broker deletes recordings. Renewed with each step. */
  recordingRetention: 60_000,
  /** From one attempt of the timetable at a machine to the next. Longer than a broker waits for Proxmox. */
  timetableTry: 5 * 60_000,
  /** Longer than a lesson is prepared or cleaned up after. */
  timetableWork: 3 * 24 * 3_600_000,
  /** Longer than a school day. When it expires, relays read the state again. */
  classRevision: 24 * 3_600_000,
  /** Control of a machine. Renewed after a third of it while the holder has its console. */
  machineControl: 9000,
  /** Far longer than a relay goes without a poll. When it expires, relays read again. */
  controlRevision: 24 * 3_600_000,
  /** Far longer than relays wait for each other when control changes. */
  controlConfirmation: 60_000,
  /** The place of a raised hand. Renewed after a third of it while its member has a console. */
  helpPlace: 180_000,
  /** What the member says. Useless without the place. */
  raisedHand: 12 * 3_600_000,
} as const;

/** SHA-256 in hexadecimal. */
export function digest(value: string | Uint8Array): string {
  return createHash('sha256').update(value).digest('hex');
}
