import { defaultLayout, layoutKey, parseLayoutKey, type GuestLayout } from './layout-list.ts';

const storageKey = 'porthole-keyboard-layouts';
const maxRemembered = 200;

/** The layouts that the user has chosen in this browser for the keyboards of machines. */
export interface ChosenLayouts {
  /** For a machine without a choice, the last choice for any machine. */
  read(machine: string): GuestLayout;
  write(machine: string, layout: GuestLayout): void;
}

export function createChosenLayouts(storage: () => Storage): ChosenLayouts {
  /** Used where an embedded page is denied its storage. */
  let kept: readonly (readonly [machine: string, layout: string])[] = [];

  /** Other tabs write too. */
  function load(): typeof kept {
    try {
      const value: unknown = JSON.parse(storage().getItem(storageKey) ?? '[]');
      return Array.isArray(value) ? value.filter(isChoice) : [];
    } catch {
      return kept;
    }
  }

  return {
    read(machine) {
      const choices = load();
      const choice = choices.find(([name]) => name === machine) ?? choices.at(-1);
      return parseLayoutKey(choice?.[1] ?? '') ?? defaultLayout;
    },
    write(machine, layout) {
      const others = load().filter(([name]) => name !== machine);
      kept = [...others, [machine, layoutKey(layout)] as const].slice(-maxRemembered);
      try {
        storage().setItem(storageKey, JSON.stringify(kept));
      } catch {
        // See above.
      }
    },
  };
}

function isChoice(value: unknown): value is readonly [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');
}
