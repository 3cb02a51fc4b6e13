import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readThreats } from './threat-table.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const threats = readThreats();

/** IDs of the threats that a test file attacks. */
function attackedIn(file: string): string[] {
  return Array.from(
    readFileSync(`${repository}/${file}`, 'utf8').matchAll(/\bthreat\('(\w+)'\)/g),
    ([, id = '']) => id,
  );
}

const attacks = new Map(
  globSync('test/attack/*.test.ts', { cwd: repository })
    .filter((file) => !file.endsWith('/threats.test.ts'))
    .map((file) => [file, attackedIn(file)]),
);

describe('the threats of docs/security.md', () => {
  test('have IDs of their own', () => {
    const ids = threats.map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(30);
    expect(ids).toEqual([...new Set(ids)]);
  });

  test.each(threats)('$id: $text is tested where the table says so', ({ id, tests }) => {
    expect(tests).not.toEqual([]);
    for (const file of tests) {
      expect([file, existsSync(`${repository}/${file}`)]).toEqual([file, true]);
      const attacked = attacks.get(file);
      if (attacked) expect(attacked).toContain(id);
    }
  });

  test.each([...attacks])('are named by each attack in %s, and the table names the file', (file, ids) => {
    expect(ids).not.toEqual([]);
    for (const id of ids) {
      const listed = threats.find((each) => each.id === id)?.tests;
      expect([id, listed]).toEqual([id, expect.arrayContaining([file])]);
    }
  });
});
