import { useRef, useState } from 'preact/hooks';
import type { Screen } from '../display/screen.ts';
import { modifierKeys, type Modifier } from './keysyms.ts';

export interface Modifiers {
  readonly held: ReadonlySet<Modifier>;
  /** Presses or releases a modifier. It stays down until the next key. */
  toggle(name: Modifier): void;
  /** Releases all modifiers that are down. */
  release(): void;
}

export function useModifiers(screen: Screen): Modifiers {
  const [held, setHeld] = useState<ReadonlySet<Modifier>>(new Set());
  const newest = useRef(held);
  newest.current = held;
  const send = (name: Modifier, down: boolean) =>
    screen.sendKey(modifierKeys[name].keysym, modifierKeys[name].code, down);

  return {
    held,
    toggle(name) {
      const down = !held.has(name);
      send(name, down);
      const next = new Set(held);
      if (down) next.add(name);
      else next.delete(name);
      setHeld(next);
    },
    release() {
      for (const name of newest.current) send(name, false);
      setHeld(new Set());
    },
  };
}
