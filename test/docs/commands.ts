import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export interface ShownCommand {
  /** Path of the page, from the root. */
  readonly page: string;
  /** One command, without comments and line breaks. */
  readonly line: string;
}

/** Programs whose calls are found in inline code, in comments and in NOTES.txt. */
const programs = [
  'ACL SETUSER',
  'apt-get',
  'curl',
  'docker',
  'helm',
  'journalctl',
  'kubectl',
  'node',
  'npm',
  'openssl',
  'porthole',
  'promtool',
  'pvecm',
  'pvenode',
  'pveum',
  'qm',
  'redis-cli',
  'socat',
  'systemctl',
].join('|');

const readPage = (page: string) => readFileSync(`${root}${page}`, 'utf8');

/** Paths of files below a folder, from the root. */
function filesIn(folder: string, pattern: RegExp): string[] {
  return readdirSync(`${root}${folder}`, { recursive: folder !== '', encoding: 'utf8' })
    .filter((name) => pattern.test(name))
    .map((name) => (folder === '' ? name : `${folder}/${name}`));
}

const pages = ['', 'docs', 'helm', 'k8s']
  .flatMap((folder) => filesIn(folder, /\.md$/))
  .filter((page) => page !== 'CHANGELOG.md');
/** Files whose comments show commands. */
const commentedFiles = [
  'Dockerfile',
  ...filesIn('k8s', /\.(ya?ml|sh|yml)$/),
  ...filesIn('docs/fronts', /\.(cfg|conf)$/),
  ...filesIn('helm/porthole', /^(ci\/.*|values)\.yaml$/),
];

/** Commands in fenced blocks and in inline code. */
function commandsInMarkdown(text: string): string[] {
  const blocks = Array.from(text.matchAll(/```(?:sh|bash|shell|console)\n([\s\S]*?)```/g), ([, block = '']) =>
    block.replaceAll(/\\\n\s*/g, ''),
  );
  return [...blocks.flatMap((block) => block.split('\n')), ...commandsInProse(text)];
}

/** Calls of known programs in backticks. Backticks in tables and across lines count, too. */
function commandsInProse(text: string): string[] {
  // Without the fences, whose backticks would begin inline code.
  const prose = text.replaceAll(/```(?:sh|bash|shell|console)\n[\s\S]*?```/g, '').replaceAll('```', '');
  return Array.from(prose.matchAll(new RegExp(`\`((?:${programs})\\s[^\`]+)\``, 'g')), ([, line = '']) =>
    line.replaceAll(/\s*\n\s*#?\s*/g, ' '),
  );
}

function commandsInComments(text: string): string[] {
  const comments = Array.from(text.matchAll(/^\s*# ?(.*)$/gm), ([, comment = '']) => comment);
  const whole = comments.filter((comment) =>
    new RegExp(`^\\s*(?:${programs}|k8s/\\S+\\.sh)\\s+\\S`).test(comment),
  );
  return [...whole, ...commandsInProse(comments.join('\n'))];
}

/** Every command that a page or a comment tells the reader to run. */
export function shownCommands(): readonly ShownCommand[] {
  const found = [
    ...pages.map((page) => ({ page, lines: commandsInMarkdown(readPage(page)) })),
    ...commentedFiles.map((page) => ({ page, lines: commandsInComments(readPage(page)) })),
  ];
  return found.flatMap(({ page, lines }) =>
    lines
      .flatMap((line) => line.replace(/\s+# .*$/, '').split(' && '))
      .map((line) => ({ page, line: line.trim() }))
      .filter(({ line }) => line !== ''),
  );
}

/** The first block of YAML of a page that is marked as rendered by a test. */
export function checkedValues(page: string): string {
  const block = /<!-- checked: rendered at every test run -->\s+```yaml\n([\s\S]*?)```/.exec(
    readPage(page),
  )?.[1];
  if (block === undefined) throw new Error(`${page} shows no values that are checked.`);
  return block;
}
