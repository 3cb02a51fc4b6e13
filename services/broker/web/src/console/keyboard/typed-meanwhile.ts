/** For so long after a display is gone, input is kept for the next one. Later, the screen may have changed. */
const keptMs = 2000;
const maxKept = 256;

const modifierKeys: ReadonlySet<string> = new Set(['Shift', 'Control', 'Alt', 'AltGraph', 'Meta']);

/**
 * Keeps what a user types while one display takes the place of another, so that no letter is missing. The modifiers that
 * are down all the while are pressed again first, because the next display has not seen them.
 */
export interface TypedMeanwhile {
  /** The display is gone. `focused`: it had the keyboard, and the next one will. */
  start(focused: boolean): void;
  /** Keeps other input for the next display, if the last one is gone. */
  keep(input: () => void): void;
  /** Gives everything to the next display, in its order, unless that took too long. */
  replay(display: HTMLElement): void;
  /** Drops everything: there is no next display. Idempotent. */
  discard(): void;
}

export function createTypedMeanwhile(page: Window, now: () => number): TypedMeanwhile {
  const down = new Map<string, KeyboardEvent>();
  let since: number | undefined;
  let takesKeys = false;
  let kept: (KeyboardEvent | (() => void))[] = [];

  function onKey(event: KeyboardEvent): void {
    if (!event.isTrusted) return;
    if (since === undefined || !takesKeys) return follow(event);
    // Another element has the focus, so the key is for it.
    if (isLate() || page.document.activeElement !== page.document.body) return discard();
    // Otherwise, the space bar would scroll the page, and other keys would use the toolbar.
    event.preventDefault();
    event.stopImmediatePropagation();
    if (kept.length < maxKept) kept.push(event);
  }

  function follow(event: KeyboardEvent): void {
    if (!modifierKeys.has(event.key)) return;
    if (event.type === 'keydown') down.set(event.code, event);
    else down.delete(event.code);
  }

  function isLate(): boolean {
    return since === undefined || now() - since > keptMs;
  }

  function discard(): void {
    for (const each of kept) if (typeof each !== 'function') follow(each);
    since = undefined;
    kept = [];
  }

  page.addEventListener('keydown', onKey, { capture: true });
  page.addEventListener('keyup', onKey, { capture: true });
  // The events of keys that are released elsewhere are missing.
  page.addEventListener('blur', (event) => {
    if (!event.isTrusted) return;
    down.clear();
    discard();
  });

  return {
    start(focused) {
      since = now();
      takesKeys = focused;
      kept = [];
    },
    keep(input) {
      if (!isLate() && kept.length < maxKept) kept.push(input);
    },
    replay(display) {
      const replayed = isLate() ? [] : [...(takesKeys ? down.values() : []), ...kept];
      discard();
      for (const each of replayed) {
        if (typeof each === 'function') each();
        else display.dispatchEvent(copyOf(each));
      }
    },
    discard,
  };
}

/** A copy that can be dispatched, with what noVNC reads of it. */
function copyOf(event: KeyboardEvent): KeyboardEvent {
  return new KeyboardEvent(event.type, {
    key: event.key,
    code: event.code,
    location: event.location,
    repeat: event.repeat,
    ctrlKey: event.ctrlKey,
    shiftKey: event.shiftKey,
    altKey: event.altKey,
    metaKey: event.metaKey,
    modifierAltGraph: event.getModifierState('AltGraph'),
    modifierCapsLock: event.getModifierState('CapsLock'),
    modifierNumLock: event.getModifierState('NumLock'),
    cancelable: true,
  });
}
