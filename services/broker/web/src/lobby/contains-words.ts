/** Whether the fields contain every word of the search. Case does not matter. */
export function containsWords(fields: readonly string[], search: string): boolean {
  const text = fields.join('\n').toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
