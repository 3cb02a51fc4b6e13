/** Control characters except tab and line feed, line separators, and characters that change the direction of text. */
// oxlint-disable-next-line no-control-regex
const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Writes control characters as `\u001b`, so that foreign text does not act on the terminal that shows it. JSON stays
 * JSON with the same meaning. Tabs and line feeds are kept.
 */
export function escapeControls(text: string): string {
  return text.replaceAll(controls, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
