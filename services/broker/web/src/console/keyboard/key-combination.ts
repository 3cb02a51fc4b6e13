const modifierKeys = ['Control', 'Alt', 'Shift', 'Meta'];

/**
 * Calls `listener` when Ctrl+Alt+Shift is pressed and released without another key: the way out of the screen, which
 * takes every other key, even Tab. With another key, the combination is a shortcut for the machine.
 */
export function onToolbarKeyCombination(listener: () => void): () => void {
  const isModifier = (event: KeyboardEvent) => modifierKeys.includes(event.key);
  let armed = false;
  const onKeyDown = (event: KeyboardEvent) => {
    armed = isModifier(event) && ((event.ctrlKey && event.altKey && event.shiftKey) || armed);
  };
  const onKeyUp = (event: KeyboardEvent) => {
    if (!armed || !isModifier(event)) return;
    armed = false;
    listener();
  };
  // In the capture phase, because noVNC stops the events that it handles.
  window.addEventListener('keydown', onKeyDown, true);
  window.addEventListener('keyup', onKeyUp, true);
  return () => {
    window.removeEventListener('keydown', onKeyDown, true);
    window.removeEventListener('keyup', onKeyUp, true);
  };
}
