import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument, type ErrorCode } from 'yaml';

/** Replaces the library's messages, which quote the line: it may contain a secret. */
const messages: Partial<Record<ErrorCode, string>> = {
  BAD_SCALAR_START: 'a value that begins with a special character needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a value that contains ": " needs quotes, or indentation is missing',
  DUPLICATE_KEY: 'duplicate setting',
  MISSING_CHAR: 'a quote or a bracket is not closed',
  TAB_AS_INDENT: 'indent with spaces, not tabs',
  TAG_RESOLVE_FAILED: 'a value that begins with "!" needs quotes',
};

export interface YamlResult {
  /** An empty object if the file is empty or has issues. */
  readonly value: unknown;
  readonly issues: readonly string[];
}

/** Reads a YAML file. Reports all issues at once and never quotes the file. */
export function readYaml(file: string): YamlResult {
  try {
    return parseYaml(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { value: {}, issues: [`cannot be read (${code ?? 'unknown error'})`] };
  }
}

/** Parses YAML like `readYaml`. The library's own `parse` emits process warnings that quote the text. */
export function parseYaml(text: string): YamlResult {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, stringKeys: true });
  const issues = [...document.errors, ...document.warnings].map(({ code, pos }) => {
    const { line, col } = lineCounter.linePos(pos[0]);
    return `line ${line}, column ${col}: ${messages[code] ?? 'invalid YAML'}`;
  });
  if (issues.length > 0) return { value: {}, issues };
  try {
    return { value: (document.toJS() as unknown) ?? {}, issues };
  } catch {
    // Only aliases can fail here: one without an anchor, or too many.
    return { value: {}, issues: ['a value that begins with "*" needs quotes'] };
  }
}
