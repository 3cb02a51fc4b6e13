/**
 * What Porthole needs from Kubernetes. Only client.ts imports the Kubernetes client, which takes about 90 MB of memory.
 * Every method rejects if the API server refuses the request or does not answer in time.
 */

/** The fields of a coordination.k8s.io/v1 Lease that leader election uses. */
export interface Lease {
  /** Empty: none. */
  readonly holder: string;
  /** Another process can take the lease if it does not change for this long. */
  readonly durationSeconds: number;
  /** Number of changes of the holder. */
  readonly transitions: number;
  /** When the holder acquired it, in milliseconds since the epoch. For display only. */
  readonly acquiredAt: number;
}

export interface StoredLease extends Lease {
  /** metadata.resourceVersion, which changes with every write. */
  readonly version: string;
  /** Labels, annotations and owners, which a write keeps. */
  readonly metadata?: object;
}

export interface LeasePort {
  read(): Promise<StoredLease | undefined>;
  /** Creates the lease, or replaces the one that was read. False if another process wrote in between. */
  write(read: StoredLease | undefined, next: Lease): Promise<boolean>;
}

export interface RelayPod {
  /** Also the ID of the relay in the store. */
  readonly name: string;
  /** The annotation controller.kubernetes.io/pod-deletion-cost. */
  readonly deletionCost: string | undefined;
  readonly terminating: boolean;
}

/** The relay pods. The list stays current until the watch fails. */
export interface PodWatch {
  /** Resolves when the pods are listed, or after a failure was reported. A failed watch can start again. */
  start(): Promise<void>;
  stop(): Promise<void>;
  list(): readonly RelayPod[];
}

export interface Kubernetes {
  readonly lease: LeasePort;
  /** Calls `failed` when the watch fails. From then on the list is out of date. */
  watchRelays(failed: (error: unknown) => void): PodWatch;
  setDeletionCost(pod: string, cost: number): Promise<void>;
}
