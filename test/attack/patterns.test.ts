import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vite';
import { createAccess } from '@porthole/broker/access/decide';
import { compileNamePattern } from '@porthole/broker/access/name-pattern';
import { parseRulesFile } from '@porthole/broker/access/rules-file';
import { parseUsersFile, UsersFileError } from '@porthole/broker/sign-in/local/users-file';
import { accessDocument } from '@porthole/shared/config/access-schema';
import { parseYaml } from '@porthole/shared/config/read-yaml';
import { rounds, roundsTimeout } from './rounds.ts';
import { threat } from './threat-table.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Processor time of this thread in milliseconds, which other processes do not change much. */
function cpuOf(work: () => unknown): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/** All regular expressions that are written in the services, once each. */
function regularExpressions(): Map<string, RegExp> {
  const found = new Map<string, RegExp>();
  function visit(node: unknown): void {
    if (Array.isArray(node)) node.forEach(visit);
    if (typeof node !== 'object' || node === null) return;
    const { regex } = node as { regex?: { pattern: string; flags: string } };
    if (regex)
      found.set(
        `/${regex.pattern}/${regex.flags}`,
        new RegExp(regex.pattern, regex.flags.replaceAll(/[gy]/g, '')),
      );
    Object.values(node).forEach(visit);
  }
  for (const file of globSync('services/*/src/**/*.ts', { cwd: repository }))
    visit(parseAst(stripTypeScriptTypes(readFileSync(`${repository}/${file}`, 'utf8'))));
  return found;
}

/** Texts that make an expression that backtracks take long: a beginning that fits, a repeated part, and no match. */
function attackTexts(source: string, length: number): string[] {
  const literals = source.replaceAll(/\\[a-zA-Z]|\[[^\]]*\]|[()?*+|^$\\]|\{[^}]*\}/g, ' ');
  const words = [...new Set(literals.split(/\s+/))];
  const parts = new Set([
    ...words,
    ...Array.from(literals),
    ' ',
    'a',
    'A',
    '0',
    '-',
    '.',
    ',',
    ':',
    '/',
    '=',
    '"',
    '%',
    '?',
    '\t',
    'é',
    'a=',
    'a.',
    'a,',
    '0.',
    ': ',
  ]);
  parts.delete('');
  return [...parts].flatMap((part) =>
    ['', words.find((word) => word !== '') ?? ''].map(
      (beginning) => `${beginning}${part.repeat(Math.ceil(length / part.length))}\0`,
    ),
  );
}

describe(threat('H8'), () => {
  const expressions = regularExpressions();
  test('the regular expressions of the services are found', () =>
    expect(expressions.size).toBeGreaterThan(40));

  test.each([...expressions])(
    '%s needs time in proportion to its text',
    (source, expression) => {
      const texts = attackTexts(source, rounds(50_000));
      const slow = texts.filter((text) => cpuOf(() => expression.test(text)) > 500);
      expect(slow.map((text) => text.slice(0, 40))).toEqual([]);
    },
    roundsTimeout,
  );

  const milliseconds = 1000;
  const asks = { user: 'a'.repeat(256), groups: [] as string[] };
  test.each([
    ['stars between letters', '*a'.repeat(60), 'a'.repeat(5000)],
    ['stars and a last letter that is missing', `${'*a'.repeat(60)}*b`, 'a'.repeat(5000)],
    ['stars alone', '*'.repeat(250), 'a'.repeat(5000)],
    ['question marks and stars', '?*'.repeat(120), 'a'.repeat(5000)],
    ['the name of the user, again and again', '*{user}'.repeat(20), 'a'.repeat(5000)],
    ['braces', '{'.repeat(120) + '{user}'.repeat(20), '{'.repeat(5000)],
  ])('a name pattern of %s needs little time', (_what, pattern, name) => {
    const matches = compileNamePattern(pattern);
    expect(cpuOf(() => matches(name, asks))).toBeLessThan(milliseconds);
  });

  test('a user with a thousand groups gets the list of a thousand machines in little time', () => {
    const access = accessDocument.parse({
      access: ['lab-{group}', '*-{group}'].map((name) => ({
        who: { everyone: true },
        which: { names: [name] },
        allow: ['control'],
      })),
    });
    const limits = {
      sessionSeconds: 1,
      maxSessionSeconds: undefined,
      idleSeconds: 1,
      parkViewSeconds: 1,
      parkControlSeconds: 1,
      consolesPerUser: 1,
      consolesPerMachine: 1,
    };
    const { decide } = createAccess(access, { limits, now: () => 0 });
    const groups = Array.from({ length: 1000 }, (_, i) => `CN=Group ${i},OU=Groups,DC=school,DC=example`);
    const machines = Array.from({ length: 1000 }, (_, i) => ({ vmid: 100 + i, name: `lab-student-${i}` }));
    const list = () =>
      machines.map((machine) =>
        decide(
          { name: 'anna', groups },
          { cluster: 'lab', type: 'qemu', node: 'pve1', tags: [], pool: undefined, ...machine },
        ),
      );
    expect(cpuOf(list)).toBeLessThan(milliseconds);
  });

  const bomb = (levels: number) =>
    [
      'a0: &a0 [x, x, x, x, x, x, x, x, x, x]',
      ...Array.from({ length: levels }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(10)}]`),
    ].join('\n');
  const yaml: Readonly<Record<string, string>> = {
    'aliases of aliases': bomb(9),
    'an alias of itself': 'a: &a [*a, *a]',
    'merged aliases': `a: &a {x: 1}\n${'b: {<<: *a}\n'.repeat(1000)}`,
    'a thousand aliases': `a: &a [${'x, '.repeat(1000)}]\nb: [${'*a, '.repeat(1000)}]`,
    'lists in lists': `a: ${'['.repeat(4000)}`,
    'objects in objects': `a: ${'{a: '.repeat(4000)}`,
    'indents in indents': Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    'dashes in dashes': '- '.repeat(4000),
    'a long key': `? ${'x'.repeat(100_000)}\n: y`,
    tags: 'a: !!js/function "x"\nb: !!python/object/apply:os.system ["x"]',
    'documents in one file': '---\na: 1\n'.repeat(1000),
    prototypes: '__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}',
  };
  test.each(Object.keys(yaml))('a file of %s takes little time', (name) => {
    const text = yaml[name] ?? '';
    const attempts = [
      () => parseYaml(text),
      () => parseRulesFile(text, { clusters: [] }),
      () => parseRulesFile(`access:\n  - ${text.replaceAll('\n', '\n    ')}`, { clusters: [] }),
      () => parseUsersFile(text),
      () => parseUsersFile(`users:\n  - ${text.replaceAll('\n', '\n    ')}`),
    ];
    for (const attempt of attempts)
      expect(
        cpuOf(() => {
          try {
            attempt();
          } catch (error) {
            // Never an error of the parser: those quote the file, which holds password hashes.
            expect(error).toBeInstanceOf(UsersFileError);
          }
        }),
      ).toBeLessThan(5 * milliseconds);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
