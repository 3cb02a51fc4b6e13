import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { builtInLanguage, languageTags } from '@porthole/shared/language/languages';

const dist = fileURLToPath(new URL('../../../services/broker/web/dist', import.meta.url));
const kib = 1024;

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
}

const manifest = JSON.parse(await readFile(join(dist, '.vite/manifest.json'), 'utf8')) as Record<
  string,
  Chunk
>;

/** What a browser loads before a page is shown. */
function filesOf(page: string): readonly string[] {
  const found = new Set<string>();
  const add = (name: string) => {
    if (found.has(name)) return;
    found.add(name);
    for (const each of manifest[name]?.imports ?? []) add(each);
  };
  add(page);
  return [...found].flatMap((name) => manifest[name]?.file ?? []);
}

const gzipBytes = async (file: string) => gzipSync(await readFile(join(dist, file)), { level: 9 }).length;

/** Bytes of JavaScript, with gzip, of the pages before they had languages, and the growth that is accepted. */
test.each([
  ['index.html', 41_134],
  ['console.html', 36_138],
  ['lti.html', 7_815],
  ['recording.html', 17_413],
])('a user of English loads at most 15 KiB more for languages in %s', async (page, before) => {
  const files = filesOf(page);
  const sizes = await Promise.all(files.map(gzipBytes));
  expect(files.filter((file) => file.startsWith('assets/language-'))).toEqual([]);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(before + 15 * kib);
});

test('another language is one file of at most 20 KiB', async () => {
  const files = (await readdir(join(dist, 'assets'))).filter((file) => file.startsWith('language-'));
  expect(files.map((file) => file.replace(/^language-([a-z]+)-.*/, '$1')).sort()).toEqual(
    languageTags.filter((tag) => tag !== builtInLanguage).sort(),
  );
  for (const file of files) expect(await gzipBytes(join('assets', file))).toBeLessThan(20 * kib);
});
