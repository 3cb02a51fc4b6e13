interface Pressed {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/** Which entry of a menu a key leads to; undefined if the key is none of the menu's. */
export function menuItemForKey(pressed: Pressed, at: number, labels: readonly string[]): number | undefined {
  const count = labels.length;
  if (count === 0 || pressed.ctrlKey || pressed.metaKey || pressed.altKey) return undefined;
  switch (pressed.key) {
    case 'ArrowDown':
      return (at + 1) % count;
    case 'ArrowUp':
      return at <= 0 ? count - 1 : at - 1;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
  }
  if (pressed.key.length !== 1) return undefined;
  const letter = pressed.key.toLowerCase();
  for (let step = 1; step <= count; step += 1) {
    const index = (at + step) % count;
    if (labels[index]?.toLowerCase().startsWith(letter)) return index;
  }
  return undefined;
}
