import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { RelayCluster } from '../upstream/machine.ts';
import type { MachineLink } from '../upstream/proxmox-link.ts';

export type MachineKey = Pick<GrantClaims, 'cluster' | 'vmid'>;

/** host:port of a relay's internal listener. */
export type RelayAddress = string;

/** The claim of this relay on a machine's console, renewed until it is released. */
export interface OwnedMachine {
  /** Another relay has taken the machine over, because it could not reach this one. Called at most once. */
  onLost(listener: (owner: ForeignOwner) => void): void;
  /** Idempotent. Does not reject. */
  release(): Promise<void>;
}

/** The records of which relay owns which machine's console. */
export interface MachineOwners {
  /**
   * Claims the machine, or answers the relay that owns it (`address` undefined if it cannot be reached by others).
   * `instead` is an owner that could not be reached and is replaced. Rejects with `store_unavailable`.
   */
  claim(
    machine: MachineKey,
    options: { readonly signal: AbortSignal; readonly instead?: ForeignOwner },
  ): Promise<{ readonly owned: OwnedMachine } | { readonly owner: ForeignOwner }>;
}

export interface ForeignOwner {
  readonly address: RelayAddress | undefined;
  /** The record as stored, so that only this owner is replaced. */
  readonly record: string;
}

/** Control messages about the screen that the owner sends to a forwarded viewer, or the screen to a local one. */
export type ScreenNotice = Extract<ControlMessage, { readonly type: 'screen' }>;

export interface ForwardRequest {
  readonly claims: GrantClaims;
  readonly signal: AbortSignal;
  readonly onNotice: (notice: ScreenNotice) => void;
}

/**
 * Forwards a viewer to the owner of its machine. The link behaves like that of a shared screen. Rejects with
 * `owner_unreachable` if the owner does not answer, or with the owner's refusal (`screen_full`, `machine_not_found` …).
 */
export type ForwardViewer = (address: RelayAddress, request: ForwardRequest) => Promise<MachineLink>;

/** What the internal listener of the owner does with a forwarded viewer. Rejects with the reason for a refusal. */
export type AcceptForwarded = (request: ForwardRequest) => Promise<{
  readonly link: MachineLink;
  /** Why the link has ended, when it has. */
  readonly ended: Promise<PortholeError | undefined>;
}>;

/** The tile of a wall that wants the thumbnails of a machine. */
export interface ThumbnailRequest {
  /** With `thumbnail`, and only to view. */
  readonly claims: GrantClaims;
  readonly cluster: RelayCluster;
  readonly signal: AbortSignal;
  readonly onNotice: (notice: ScreenNotice) => void;
}

/** A tile's place at the shared screen of its machine. */
export interface ThumbnailPlace {
  /** Carries thumbnails (screen/thumbnail-frames.ts). */
  readonly link: MachineLink;
  /** Resolves when a screen of this relay ends, with the reason. That of another relay ends the link. */
  readonly ended: Promise<PortholeError | undefined>;
  /** Idempotent. */
  release(): void;
}

/**
 * Gives a tile a place at the machine's shared screen, here or at the relay that owns it. Without one, opens the console,
 * after users' consoles at the same node. Rejects with the error of the dial or of the screen.
 */
export type OpenThumbnail = (request: ThumbnailRequest) => Promise<ThumbnailPlace>;
