import type { RecordSettings } from '@porthole/shared/config/access-schema';

/** How a console is recorded, and which rule says so. */
export interface RecordPolicy extends Readonly<RecordSettings> {
  readonly rule: string;
  /** The class of the rule, if it is one of a class. */
  readonly class?: string;
}

export function nameRecordRule(
  settings: RecordSettings | undefined,
  source: Pick<RecordPolicy, 'rule' | 'class'>,
): RecordPolicy | undefined {
  return settings && { ...settings, ...source };
}

/**
 * Combines what two rules say: the strictest, unlike limits, because an additional rule must not take a recording away.
 * The stricter rule is the one that the recording names.
 */
export function strictestRecord(
  a: RecordPolicy | undefined,
  b: RecordPolicy | undefined,
): RecordPolicy | undefined {
  if (!a || !b) return a ?? b;
  const first = a.mode === b.mode ? a.rule <= b.rule : a.mode === 'required';
  const { mode, rule, class: ofClass } = first ? a : b;
  const keepDays = Math.max(a.keepDays ?? 0, b.keepDays ?? 0);
  return {
    mode,
    keys: a.keys || b.keys,
    clipboard: a.clipboard || b.clipboard,
    consent: a.consent || b.consent,
    ...(keepDays > 0 ? { keepDays } : {}),
    rule,
    ...(ofClass === undefined ? {} : { class: ofClass }),
  };
}

/** Whether `later` asks for anything that `now` does not give. */
export function recordsMore(now: RecordPolicy | undefined, later: RecordPolicy | undefined): boolean {
  if (!later) return false;
  if (!now) return true;
  const both = strictestRecord(now, later);
  return (['mode', 'keys', 'clipboard', 'consent', 'keepDays'] as const).some(
    (name) => both?.[name] !== now[name],
  );
}

/** Describes it in a few words, such as "required with keys, kept for 30 days". */
export function formatRecord({ mode, keys, clipboard, consent, keepDays }: RecordPolicy): string {
  const more = [keys && 'keys', clipboard && 'clipboard', consent && 'consent'].filter(Boolean);
  return [
    mode,
    ...(more.length > 0 ? [`with ${more.join(' and ')}`] : []),
    ...(keepDays === undefined ? [] : [`kept ${keepDays} days`]),
  ].join(' ');
}
