/**
 * The little that Porthole asks of Kubernetes, so that the rest is tested without it and nobody else imports the
 * client (some 90 MB of memory). Every method rejects when the API server refuses or does not answer in time.
 */

/** One coordination.k8s.io/v1 Lease, as the election needs it. */
export interface Lease {
  /** Empty: nobody. */
  readonly holder: string;
  /** How long whoever sees no change waits before taking over. */
  readonly durationSeconds: number;
  /** How often it has changed hands. */
  readonly transitions: number;
  /** When its holder got it, in milliseconds since the epoch; for people, nobody decides by it. */
  readonly acquiredAt: number;
}

export interface SeenLease extends Lease {
  /** Changes with every write: metadata.resourceVersion. */
  readonly version: string;
}

export interface LeasePort {
  read(): Promise<SeenLease | undefined>;
  /** Creates it, or replaces what was `seen`: false when somebody else wrote in between. */
  write(seen: SeenLease | undefined, next: Lease): Promise<boolean>;
}

export interface RelayPod {
  /** Also the relay's id in the store. */
  readonly name: string;
  /** The annotation controller.kubernetes.io/pod-deletion-cost. */
  readonly deletionCost: string | undefined;
  /** It is told to go already. */
  readonly terminating: boolean;
}

/** The pods of the relays as last heard of. It stays current by itself until it fails, and says so when it does. */
export interface PodWatch {
  /** Resolves when the pods are known, or after it was told that it failed. Once it failed, it may start again. */
  start(): Promise<void>;
  stop(): Promise<void>;
  list(): readonly RelayPod[];
}

export interface Kubernetes {
  readonly lease: LeasePort;
  /** `failed` is called when it stops to be current; from then on the list is old. */
  watchRelays(failed: (error: unknown) => void): PodWatch;
  setDeletionCost(pod: string, cost: number): Promise<void>;
}
