import type { Notice } from '@porthole/shared/protocol/control-messages';

/** What the relay has announced: the console is going to end, and whether the person may put that off. */
export interface Announced {
  /** Milliseconds since the epoch. */
  readonly endsAt: number;
  readonly extend: boolean;
}

export type Notices = Readonly<Record<Notice, Announced | undefined>>;

export const noNotices: Notices = { idle: undefined, time: undefined };

/** The one that ends the console first. */
export function mostUrgent(notices: Notices): (Announced & { readonly notice: Notice }) | undefined {
  const { idle, time } = notices;
  if (idle && (!time || idle.endsAt <= time.endsAt)) return { ...idle, notice: 'idle' };
  return time && { ...time, notice: 'time' };
}
