import type { Notice } from '@porthole/shared/protocol/control-messages';

/** The relay's notice that the console is about to end. */
export interface Announced {
  /** Milliseconds since the epoch. */
  readonly endsAt: number;
  /** Whether the user can postpone the end. */
  readonly extend: boolean;
}

export type Notices = Readonly<Record<Notice, Announced | undefined>>;

export const noNotices: Notices = { idle: undefined, time: undefined };

/** The notice that ends the console first. */
export function mostUrgent(notices: Notices): (Announced & { readonly notice: Notice }) | undefined {
  const { idle, time } = notices;
  if (idle && (!time || idle.endsAt <= time.endsAt)) return { ...idle, notice: 'idle' };
  return time && { ...time, notice: 'time' };
}
