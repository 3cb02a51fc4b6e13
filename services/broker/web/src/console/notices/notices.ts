import type { Notice } from '@porthole/shared/protocol/control-messages';

/** The relay's notice that the console is about to end. */
export interface Announced {
  /** Milliseconds since the epoch. */
  readonly endsAt: number;
  /** Whether the user can postpone the end. */
  readonly extend: boolean;
}

export type Notices = Readonly<Record<Notice, Announced | undefined>>;

export const noNotices: Notices = { idle: undefined, time: undefined, class: undefined };

/** The notice that ends the console first. */
export function mostUrgent(notices: Notices): (Announced & { readonly notice: Notice }) | undefined {
  const [first] = (['idle', 'time', 'class'] as const)
    .flatMap((notice) => {
      const announced = notices[notice];
      return announced ? { ...announced, notice } : [];
    })
    .toSorted((a, b) => a.endsAt - b.endsAt);
  return first;
}
