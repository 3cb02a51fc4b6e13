import { rights, type Right } from '@porthole/shared/config/access-schema';
import type { ConsoleMode } from '@porthole/shared/grant/claims';
import type { CompiledRule } from './compile.ts';
import {
  isAtLeastAsPermissive,
  mostPermissive,
  policyOf,
  type DefaultLimits,
  type SessionPolicy,
} from './session-policy.ts';

/** How a console is opened. A terminal is a right of its own, for both console modes. */
export type AccessMode = ConsoleMode | 'terminal';

/** What a subject may do with a target at one moment. */
export interface Decision {
  /** Empty: the subject may not even know that the machine exists. */
  readonly allow: readonly Right[];
  /** Undefined if the subject may not open a console in this mode. */
  policyFor(mode: AccessMode): SessionPolicy | undefined;
  /**
   * The first minute in which the rules would give less than now, in milliseconds since the epoch. Undefined: not within
   * the lifetime of a console.
   */
  validUntil(mode: AccessMode): number | undefined;
  /** The names of the rules that give a right. */
  rulesGranting(right: Right): readonly string[];
}

export const rightsThatOpen: Readonly<Record<AccessMode, readonly Right[]>> = {
  view: ['view', 'watch'],
  control: ['control'],
  terminal: ['terminal'],
};

const minuteMs = 60_000;

export function createDecision(
  granting: readonly CompiledRule[],
  deps: {
    readonly at: number;
    readonly limits: DefaultLimits;
    /** The matching rules, including those whose window is closed at `at`. */
    readonly atAnyTime: () => readonly CompiledRule[];
  },
): Decision {
  const { at, limits } = deps;
  const opens = (rule: CompiledRule, mode: AccessMode) =>
    rightsThatOpen[mode].some((right) => rule.grants.has(right));
  const combinedPolicy = (rules: readonly CompiledRule[]): SessionPolicy | undefined => {
    const [first, ...more] = rules.map((rule) => policyOf(rule, limits));
    return first && more.reduce(mostPermissive, first);
  };
  const policyFor = (mode: AccessMode) => combinedPolicy(granting.filter((rule) => opens(rule, mode)));

  return {
    allow: sortRights(new Set(granting.flatMap(({ grants }) => [...grants]))),
    policyFor,
    validUntil(mode) {
      const policy = policyFor(mode);
      if (!policy) return at;
      const candidates = deps.atAnyTime().filter((rule) => opens(rule, mode));
      return firstStricterMinute(candidates, at, at + policy.maxSessionSeconds * 1000, (open) => {
        const later = combinedPolicy(open);
        return later === undefined || !isAtLeastAsPermissive(policy, later);
      });
    },
    rulesGranting: (right) => granting.filter(({ grants }) => grants.has(right)).map(({ name }) => name),
  };
}

/** Tries each minute, because windows begin and end on minutes, and compares only if other rules are open than before. */
function firstStricterMinute(
  rules: readonly CompiledRule[],
  from: number,
  to: number,
  isStricter: (open: readonly CompiledRule[]) => boolean,
): number | undefined {
  if (rules.every((rule) => rule.isOpen === undefined)) return undefined;
  let before = '';
  for (let at = from; at < to; at = (Math.floor(at / minuteMs) + 1) * minuteMs) {
    const open = rules.filter((rule) => isOpenAt(rule, at));
    const places = open.map(({ place }) => place).join(' ');
    if (places === before) continue;
    before = places;
    if (isStricter(open)) return at;
  }
  return undefined;
}

export function isOpenAt({ isOpen }: CompiledRule, at: number): boolean {
  return isOpen === undefined || isOpen(at);
}

export function sortRights(found: ReadonlySet<Right>): readonly Right[] {
  return rights.filter((right) => found.has(right));
}
