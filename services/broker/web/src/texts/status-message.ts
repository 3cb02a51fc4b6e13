import { t, type PlainKey } from '../language/t.ts';

/** What the user reads about a state: what happened, and what to do about it. */
export interface StatusMessage {
  readonly title: string;
  readonly advice: string;
}

/** A message that can be kept: each time it is read, it is in the current language. */
export function statusMessage(
  title: PlainKey | (() => string),
  ...advice: readonly PlainKey[]
): StatusMessage {
  return {
    get title() {
      return typeof title === 'function' ? title() : t(title);
    },
    get advice() {
      return advice.map((key) => t(key)).join(' ');
    },
  };
}

/** Trims text from outside and ends it with a full stop. Returns undefined for empty text. */
export function sentence(text: string): string | undefined {
  const trimmed = text.trim();
  if (!trimmed) return undefined;
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
