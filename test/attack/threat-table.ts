import { readFileSync } from 'node:fs';

/** One row of the table "Threats" in docs/security.md. */
export interface Threat {
  readonly id: string;
  readonly text: string;
  /** Test files, relative to the repository. */
  readonly tests: readonly string[];
}

const rowPattern = /^\|\s*([A-Z]\d+)\s*\|([^|]+)\|[^|]+\|[^|]+\|([^|]+)\|\s*$/gm;

/** The threats of docs/security.md, in the order of the table. */
export function readThreats(): readonly Threat[] {
  const page = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8');
  return Array.from(page.matchAll(rowPattern), ([, id = '', text = '', tests = '']) => ({
    id,
    text: text.trim(),
    tests: Array.from(tests.matchAll(/\]\(\.\.\/([^)]+)\)/g), ([, file = '']) => file),
  }));
}

const threats = new Map(readThreats().map((each) => [each.id, each]));

/** The title of the tests of a threat, as in docs/security.md. */
export function threat(id: string): string {
  const found = threats.get(id);
  if (!found) throw new Error(`docs/security.md has no threat ${id}.`);
  return `${id}: ${found.text}`;
}
