import { createRequire } from 'node:module';
import compile from 'icu-minify/compile';

const require = createRequire(import.meta.url);

/** Files with the words of a language. */
export const isMessageFile = (path: string): boolean => /\/language\/messages\/[a-z]{2}\.ts$/.test(path);

interface Source {
  readonly messages: Readonly<Record<string, string>>;
  readonly errors: Readonly<Record<string, string>>;
  readonly closes: Readonly<Record<string, string>>;
}

/**
 * Compiles the ICU messages of a file, so that the pages need no parser. For the build, and for tests that run the pages'
 * modules in Node.
 */
export function compileMessageFile(path: string): string {
  const [[name, source] = []] = Object.entries(require(path) as Record<string, Source | Source['messages']>);
  if (name === undefined || source === undefined) throw new Error(`${path} exports nothing.`);
  const compiled = isTranslation(source) ? compileTranslation(source) : compileAll(source);
  return `export const ${name} = ${JSON.stringify(compiled)};\n`;
}

const isTranslation = (source: Source | Source['messages']): source is Source =>
  typeof source['messages'] === 'object';

const compileAll = (messages: Source['messages']) =>
  Object.fromEntries(Object.entries(messages).map(([key, message]) => [key, compile(message)]));

/** The English texts of errors are added, because the reason of a close frame is one of them. */
function compileTranslation({ messages, errors, closes }: Source) {
  const { errorKinds } = require('../../shared/src/errors.ts') as {
    readonly errorKinds: Readonly<Record<string, { readonly text: string }>>;
  };
  return {
    messages: compileAll(messages),
    errors: Object.fromEntries(
      Object.entries(errors).map(([code, text]) => [code, [errorKinds[code]?.text ?? '', text]]),
    ),
    closes,
  };
}
