import { existsSync, readdirSync, readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(new URL('docs', root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** Paths of the repository in a page's code spans, up to a glob or a line number. */
function pathsIn(page: string): string[] {
  const text = readFileSync(new URL(page, root), 'utf8');
  // Profiles quote measured functions with their line, as of the version that was measured.
  return [...text.matchAll(/`((?:services|test|helm|k8s|docs)\/[\w./@-]+)(?=[`*])/g)].map(([, path = '']) =>
    path.replace(/\/$/, ''),
  );
}

test.each(pages)('every path of the repository that %s names exists', (page) => {
  const missing = pathsIn(page).filter((path) => !existsSync(new URL(path, root)) && !isGlobPrefix(path));
  expect(missing).toEqual([]);
});

/** `test/relay/hostile` of `test/relay/hostile*.test.ts`. */
function isGlobPrefix(path: string): boolean {
  const folder = new URL(`${path.slice(0, path.lastIndexOf('/'))}/`, root);
  const name = path.slice(path.lastIndexOf('/') + 1);
  return existsSync(folder) && readdirSync(folder).some((each) => each.startsWith(name));
}

test('CONTRIBUTING answers at least thirty questions with the file that holds the answer', () => {
  const text = readFileSync(new URL('CONTRIBUTING.md', root), 'utf8');
  const map = text.slice(text.indexOf('## Where is …?'));
  const answers = map.split('\n').filter((line) => /^\| .+ \| .*`[\w./-]+`.* \|$/.test(line));
  expect(answers.length).toBeGreaterThanOrEqual(30);
});
