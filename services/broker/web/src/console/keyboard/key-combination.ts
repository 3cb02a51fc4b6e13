/**
 * Ctrl+Alt+Shift, pressed together and let go with nothing else in between, leads out of the screen, which
 * swallows every other key, Tab included. With a further key it's a shortcut that belongs to the machine.
 */
export function onToolbarKeyCombination(listener: () => void): () => void {
  const modifier = (event: KeyboardEvent) => ['Control', 'Alt', 'Shift', 'Meta'].includes(event.key);
  let armed = false;
  const down = (event: KeyboardEvent) => {
    armed = modifier(event) && ((event.ctrlKey && event.altKey && event.shiftKey) || armed);
  };
  const up = (event: KeyboardEvent) => {
    if (!armed || !modifier(event)) return;
    armed = false;
    listener();
  };
  // Capturing, because noVNC stops the events that it takes.
  window.addEventListener('keydown', down, true);
  window.addEventListener('keyup', up, true);
  return () => {
    window.removeEventListener('keydown', down, true);
    window.removeEventListener('keyup', up, true);
  };
}
