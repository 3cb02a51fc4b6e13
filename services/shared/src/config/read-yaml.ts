import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument, type ErrorCode } from 'yaml';

/** What an editor of the file needs to know; the library's own words quote the line, and a line may be a secret. */
const messages: Partial<Record<ErrorCode, string>> = {
  BAD_SCALAR_START: 'a value that begins with a special character needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a value that holds ": " needs quotes, or an indent is missing',
  DUPLICATE_KEY: 'this setting is there twice',
  MISSING_CHAR: 'a quote or a bracket is not closed',
  TAB_AS_INDENT: 'indent with blanks, not with tabs',
  TAG_RESOLVE_FAILED: 'a value that begins with "!" needs quotes',
};

export interface YamlResult {
  /** An empty object where there is nothing, or a fault. */
  readonly value: unknown;
  readonly issues: readonly string[];
}

/** The file's settings, or everything that keeps it from being read, as one issue each. Never quotes the file. */
export function readYaml(file: string): YamlResult {
  try {
    return parseYaml(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { value: {}, issues: [`can not be read (${code ?? 'unknown error'})`] };
  }
}

/** The same for a text. The library's own `parse` would print warnings of the process that quote it. */
export function parseYaml(text: string): YamlResult {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, stringKeys: true });
  const issues = [...document.errors, ...document.warnings].map(({ code, pos }) => {
    const { line, col } = lineCounter.linePos(pos[0]);
    return `line ${line}, column ${col}: ${messages[code] ?? 'this is not valid YAML'}`;
  });
  if (issues.length > 0) return { value: {}, issues };
  try {
    return { value: (document.toJS() as unknown) ?? {}, issues };
  } catch {
    // Only an alias can fail here: one without its anchor, or very many.
    return { value: {}, issues: ['a value that begins with "*" needs quotes'] };
  }
}
