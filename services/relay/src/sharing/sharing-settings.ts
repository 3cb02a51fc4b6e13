import type { Address } from '@porthole/shared/http/listen';
import type { RelayAddress } from './contracts.ts';

/** The section `sharing` of the configuration. */
export interface SharingSettings {
  readonly enabled: boolean;
  /** Maximum number of shared screens of a relay, of viewers of each, and of megapixels of all. */
  readonly screens: number;
  readonly viewersPerScreen: number;
  readonly megapixels: number;
  readonly tileCacheMiB: number;
  readonly workers: number;
  readonly healSeconds: number;
  /** Undefined if other relays cannot reach this one. */
  readonly internalAddress?: RelayAddress | undefined;
  readonly internalListen: Address;
}

export const defaultSharing: SharingSettings = {
  enabled: true,
  screens: 100,
  viewersPerScreen: 64,
  megapixels: 400,
  tileCacheMiB: 64,
  workers: 1,
  healSeconds: 120,
  internalListen: { host: '0.0.0.0', port: 8081 },
};
