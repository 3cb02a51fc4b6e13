/** What the user reads about a state: what happened, and what to do about it. */
export interface StatusMessage {
  readonly title: string;
  readonly advice: string;
}

/** Trims text from outside and ends it with a full stop. Returns undefined for empty text. */
export function sentence(text: string): string | undefined {
  const trimmed = text.trim();
  if (!trimmed) return undefined;
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
