type KeyPress = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>;

/** Returns the index of the menu item that a key moves to, or undefined for other keys. */
export function menuItemForKey(
  key: KeyPress,
  current: number,
  labels: readonly string[],
): number | undefined {
  const count = labels.length;
  if (count === 0 || key.ctrlKey || key.metaKey || key.altKey) return undefined;
  switch (key.key) {
    case 'ArrowDown':
      return (current + 1) % count;
    case 'ArrowUp':
      return current <= 0 ? count - 1 : current - 1;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
  }
  if (key.key.length !== 1) return undefined;
  const letter = key.key.toLowerCase();
  for (let step = 1; step <= count; step += 1) {
    const index = (current + step) % count;
    if (labels[index]?.toLowerCase().startsWith(letter)) return index;
  }
  return undefined;
}
