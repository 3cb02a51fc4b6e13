import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { tables } from './tables.ts';

const folder = fileURLToPath(new URL('../../docs/', import.meta.url));

export interface Page {
  readonly name: string;
  readonly file: string;
  readonly text: string;
}

/** The reference pages and runbooks as they are. */
export function readPages(): readonly Page[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('decisions/'))
    .map((name) => ({ name, file: `${folder}${name}`, text: readFileSync(`${folder}${name}`, 'utf8') }));
}

const generated = /(<!-- generated:([\w-]+) -->\n)[\s\S]*?(<!-- \/generated -->)/g;

/** The page as it should be: what stands between its markers made anew, and formatted like everything else. */
export async function renderPage({ file, text }: Page): Promise<string> {
  const filled = text.replaceAll(generated, (_whole, begin: string, name: string, end: string) => {
    const make = tables[name];
    if (!make) throw new Error(`There is no table ${name}.`);
    return `${begin}\n${make()}\n\n${end}`;
  });
  return format(filled, { ...(await resolveConfig(file)), filepath: file });
}

/** Names of the tables that pages show. */
export function tablesIn({ text }: Page): string[] {
  return Array.from(text.matchAll(generated), ([, , name]) => name ?? '');
}
