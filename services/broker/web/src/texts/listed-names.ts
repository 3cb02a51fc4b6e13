const maxNamed = 4;

/** "Ann, Ben and 3 others". */
export function listedNames(names: readonly string[]): string {
  const named = names.slice(0, names.length > maxNamed ? maxNamed - 1 : maxNamed);
  const others = names.length - named.length;
  const parts = [...named, ...(others > 0 ? [`${others} others`] : [])];
  const last = parts.pop() ?? '';
  return parts.length === 0 ? last : `${parts.join(', ')} and ${last}`;
}
