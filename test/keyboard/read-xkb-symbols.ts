import { readFileSync } from 'node:fs';

/** Names of the symbols of a key, by level. */
export type KeySymbols = ReadonlyMap<string, readonly string[]>;

/** From xkeyboard-config's keycodes. */
const aliases: Readonly<Record<string, string>> = { AC12: 'BKSL' };

/**
 * Reads sections of xkeyboard-config's symbols, such as `de` or `latin(type4)`, with everything that they include. Later
 * sections add to earlier ones.
 */
export function readXkbSymbols(folder: string, names: readonly string[]): KeySymbols {
  const keys = new Map<string, string[]>();
  for (const name of names) readSection(folder, name, keys);
  return keys;
}

function readSection(folder: string, name: string, keys: Map<string, string[]>): void {
  const [, file = '', section] = /^([\w/]+)(?:\(([\w-]+)\))?$/.exec(name) ?? [];
  const text = readFileSync(`${folder}/${file}`, 'utf8').replaceAll(/\/\/.*/g, '');
  const body = sectionOf(text, section);
  if (body === undefined) throw new Error(`${folder}/${file} has no section ${section ?? '(default)'}`);
  const statements = body.matchAll(/include\s+"([^"]+)"|key\s*<(\w+)>\s*\{([^}]*)\}/g);
  for (const [, included, key, definition = ''] of statements) {
    if (included !== undefined) readSection(folder, included, keys);
    else if (key !== undefined) merge(keys, aliases[key] ?? key, symbolsOf(definition));
  }
}

function sectionOf(text: string, name: string | undefined): string | undefined {
  const start =
    name === undefined
      ? /\bdefault\b[^"{]*xkb_symbols\s+"[^"]+"\s*\{/.exec(text)
      : new RegExp(`xkb_symbols\\s+"${name}"\\s*\\{`).exec(text);
  if (!start) return undefined;
  const from = start.index + start[0].length;
  const end = text.indexOf('\n};', from);
  return text.slice(from, end);
}

function symbolsOf(definition: string): string[] {
  const [, list = ''] = /\[([^\]]*)\]/.exec(definition.replaceAll(/\[\s*[Gg]roup\d\s*\]/g, '')) ?? [];
  return list.split(',').map((symbol) => symbol.trim());
}

/** A later definition replaces the levels that it defines. */
function merge(keys: Map<string, string[]>, key: string, symbols: readonly string[]): void {
  const merged = [...(keys.get(key) ?? [])];
  symbols.forEach((symbol, level) => {
    if (symbol !== '' && symbol !== 'NoSymbol') merged[level] = symbol;
  });
  keys.set(
    key,
    Array.from(merged, (symbol) => symbol ?? 'NoSymbol'),
  );
}
