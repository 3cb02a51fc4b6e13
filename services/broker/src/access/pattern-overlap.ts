import { parsePlaceholder } from '@porthole/shared/config/placeholder';
import { isAnyCharacters, isLiteral, parseGlob } from './glob.ts';
import type { OwnerPatternOptions } from './owner-pattern.ts';

/** One position of a pattern: a character, or any character but the separator, perhaps repeated. */
interface Step {
  readonly literal?: string;
  readonly excluded?: string | undefined;
  readonly repeats: boolean;
  readonly isOwner: boolean;
}

export type PatternSteps = readonly Step[];

/**
 * The steps of an entry with a placeholder, with `owner` in place of the placeholder, or with any name. Case is ignored in
 * overlaps, because a warning too many does less harm than one too few.
 */
export function stepsOf(entry: string, { wildcards }: OwnerPatternOptions, owner?: string): PatternSteps {
  const parsed = parsePlaceholder(entry);
  if (!parsed) return [];
  const side = (text: string, separator: string | undefined): Step[] => {
    const tokens = wildcards ? parseGlob(text.toLowerCase()) : Array.from(text.toLowerCase());
    const excluded = tokens.some(isAnyCharacters) ? separator : undefined;
    return tokens.map((token) =>
      isLiteral(token)
        ? { literal: token, repeats: false, isOwner: false }
        : { excluded, repeats: isAnyCharacters(token), isOwner: false },
    );
  };
  const { before, after } = parsed;
  const name: Step[] =
    owner === undefined
      ? [
          { repeats: false, isOwner: true },
          { repeats: true, isOwner: true },
        ]
      : Array.from(owner.toLowerCase(), (literal) => ({ literal, repeats: false, isOwner: true }));
  return [...side(before, before.at(-1)), ...name, ...side(after, after.at(0))];
}

const separators = new Set(['-', '.']);

interface State {
  readonly p: number;
  readonly q: number;
  /** Whether the owners of both patterns are at different positions. */
  readonly differs: boolean;
  readonly marked: boolean;
  readonly text: string;
}

/**
 * The shortest machine name, tag or pool that both patterns match for different owners; undefined if there is none. The
 * owners differ if they are at different positions and one of them contains a letter that occurs only once in the text:
 * then the other has that letter at another position, or not at all.
 */
export function findSharedText(p: PatternSteps, q: PatternSteps): string | undefined {
  return excludeEachOther(p, q) ? undefined : search(p, q, ({ differs, marked }) => differs && marked);
}

/** The shortest text that both patterns match; undefined if there is none. For patterns with owners in place. */
export function findCommonText(p: PatternSteps, q: PatternSteps): string | undefined {
  return excludeEachOther(p, q) ? undefined : search(p, q, () => true);
}

/** Whether the patterns begin or end with different characters. Rules most pairs out without a search. */
function excludeEachOther(p: PatternSteps, q: PatternSteps): boolean {
  return beginDifferently(p, q) || beginDifferently(p.toReversed(), q.toReversed());
}

function beginDifferently(p: PatternSteps, q: PatternSteps): boolean {
  for (const [index, step] of p.entries()) {
    const other = q[index];
    if (step.literal === undefined || other?.literal === undefined) return false;
    if (step.literal !== other.literal) return true;
  }
  return false;
}

/** Breadth-first search through the texts that both patterns match. */
function search(p: PatternSteps, q: PatternSteps, isWanted: (state: State) => boolean): string | undefined {
  const literals = new Set([...p, ...q].flatMap(({ literal }) => literal ?? []));
  const [filler = '0', mark = '1'] = Array.from('abcdefghijklmnopqrstuvwxyz').filter(
    (letter) => !literals.has(letter),
  );
  const alphabet = [mark, filler, ...literals];
  const queue: State[] = [{ p: 0, q: 0, differs: false, marked: false, text: '' }];
  const seen = new Set<string>();
  for (const state of queue) {
    // Texts that begin or end with a separator are no machine names.
    const isWhole = !separators.has(state.text.at(-1) ?? '-');
    const key = `${state.p} ${state.q} ${state.differs} ${state.marked} ${isWhole}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (isWhole && isComplete(p, state.p) && isComplete(q, state.q) && isWanted(state)) return state.text;
    for (const character of alphabet) {
      if (state.text === '' && separators.has(character)) continue;
      for (const inP of movesOf(p, state.p, character))
        for (const inQ of movesOf(q, state.q, character)) {
          const isMark = character === mark;
          if (isMark && (state.marked || !(inP.isOwner || inQ.isOwner))) continue;
          queue.push({
            p: inP.next,
            q: inQ.next,
            differs: state.differs || inP.isOwner !== inQ.isOwner,
            marked: state.marked || isMark,
            text: state.text + character,
          });
        }
    }
  }
  return undefined;
}

function movesOf(steps: PatternSteps, from: number, character: string): { next: number; isOwner: boolean }[] {
  const moves: { next: number; isOwner: boolean }[] = [];
  for (let at = from; at < steps.length; at++) {
    const step = steps[at];
    if (!step) break;
    const accepts = step.literal === undefined ? step.excluded !== character : step.literal === character;
    if (accepts) moves.push({ next: step.repeats ? at : at + 1, isOwner: step.isOwner });
    if (!step.repeats) break;
  }
  return moves;
}

function isComplete(steps: PatternSteps, at: number): boolean {
  return steps.slice(at).every(({ repeats }) => repeats);
}
