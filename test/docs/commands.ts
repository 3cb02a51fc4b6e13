import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export interface ShownCommand {
  /** Path of the page, from the root. */
  readonly page: string;
  /** One command, without comments and line breaks. */
  readonly line: string;
}

const folders = [
  '',
  'docs',
  'docs/runbooks',
  'helm/porthole',
  'k8s/quickstart',
  'k8s/examples',
  'k8s/monitoring',
];

function pagesIn(folder: string): string[] {
  return readdirSync(`${root}${folder}`)
    .filter((name) => name.endsWith('.md') && name !== 'CHANGELOG.md')
    .map((name) => (folder === '' ? name : `${folder}/${name}`));
}

/** Every command that a page tells the reader to type. */
export function shownCommands(): readonly ShownCommand[] {
  return folders.flatMap(pagesIn).flatMap((page) => {
    const text = readFileSync(`${root}${page}`, 'utf8');
    const inline = Array.from(text.matchAll(/`(kubectl -[^`]+)`/g), ([, line]) => line ?? '');
    const blocks = Array.from(text.matchAll(/```sh\n([\s\S]*?)```/g), ([, block]) => block ?? '');
    return [...blocks, ...inline]
      .flatMap((block) => block.replaceAll(/\\\n\s*/g, '').split('\n'))
      .flatMap((line) => line.replace(/\s+# .*$/, '').split(' && '))
      .map((line) => ({ page, line: line.trim() }))
      .filter(({ line }) => line !== '');
  });
}

/** The first block of YAML of a page that is marked as rendered by a test. */
export function checkedValues(page: string): string {
  const text = readFileSync(`${root}${page}`, 'utf8');
  const block = /<!-- checked: rendered at every test run -->\s+```yaml\n([\s\S]*?)```/.exec(text)?.[1];
  if (block === undefined) throw new Error(`${page} shows no values that are checked.`);
  return block;
}
