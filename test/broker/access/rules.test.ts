import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Target } from '@porthole/broker/access/subject';
import { createAccessRules } from '@porthole/broker/access/rules';
import type { AuditEvent } from '@porthole/shared/audit/events';
import { ConfigError } from '@porthole/shared/config/read';
import { secretFile } from '@porthole/shared/config/secret';
import { createFakeClock } from '../../fakes/clock.ts';
import { aConfig } from '../rig.ts';

const machine: Target = {
  cluster: 'proxmox',
  node: 'pve1',
  type: 'qemu',
  vmid: 101,
  name: 'lab',
  pool: undefined,
  tags: [],
};
const anna = { name: 'anna', groups: [] };
const rulesFor = (user: string, allow = 'view') =>
  `access:\n  - { who: { users: [${user}] }, which: { all: true }, allow: [${allow}] }\n`;

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'porthole-rules-'))));
afterEach(() => rm(folder, { recursive: true }));

/** The rules of a file, with a clock that the test moves. */
async function theRules(text: string, file = join(folder, 'access.yaml')) {
  await writeFile(file, text, { flag: 'w' });
  const clock = createFakeClock();
  const logged: string[] = [];
  const audited: AuditEvent[] = [];
  const reads: string[] = [];
  const { access: _, ...config } = aConfig();
  const rules = createAccessRules({
    config: { ...config, accessFile: secretFile(file) },
    clock,
    log: {
      info: (...words: unknown[]) => void logged.push(String(words.at(-1))),
      error: (...words: unknown[]) => void logged.push(String(words.at(-1))),
    },
    audit: (event) => void audited.push(event),
    onReload: (result) => void reads.push(result),
  });
  await rules.component.start?.();
  return {
    rules,
    logged,
    audited,
    reads,
    clock,
    file,
    mayAnna: () => rules.current().decide(anna, machine).allow,
    async change(now: string) {
      await writeFile(file, now);
      clock.advance(5000);
    },
  };
}

describe('a rules file', () => {
  test('is in force from the start, and each change within five seconds', async () => {
    const { mayAnna, change, audited, reads } = await theRules(rulesFor('anna'));
    expect(mayAnna()).toEqual(['view']);
    await change(rulesFor('ben'));
    expect(mayAnna()).toEqual([]);
    await change(rulesFor('anna', 'power'));
    expect(mayAnna()).toEqual(['power']);
    expect(reads).toEqual(['ok', 'ok']);
    expect(audited).toMatchObject([
      { event: 'rules_reloaded', rules: 1, classes: 0 },
      { event: 'rules_reloaded' },
    ]);
  });

  test('behind symbolic links is read again when Kubernetes replaces a link', async () => {
    const [old, later, link, file] = ['old', 'new', 'data', 'access.yaml'].map((name) => join(folder, name));
    if (!old || !later || !link || !file) throw new Error('names');
    await writeFile(later, rulesFor('ben'));
    await symlink('old', link);
    await symlink('data', file);
    const { mayAnna, clock } = await theRules(rulesFor('anna'), old);
    const seen = createAccessRules({
      config: { ...aConfig(), access: undefined, accessFile: secretFile(file) },
      clock,
      log: { info: () => {}, error: () => {} },
      audit: () => {},
    });
    await seen.component.start?.();
    expect(mayAnna()).toEqual(['view']);
    await symlink('new', join(folder, 'data.tmp'));
    await rename(join(folder, 'data.tmp'), link);
    clock.advance(5000);
    expect(seen.current().decide(anna, machine).allow).toEqual([]);
  });

  test.each([
    ['is not YAML', 'access: [', /line 1/],
    ['has an unknown field', `${rulesFor('anna')}    deny: [view]\n`, /line|deny/],
    [
      'names an unknown cluster',
      'access: [{ who: { everyone: true }, which: { clusters: [x] }, allow: [view] }]',
      /no cluster x/,
    ],
    ['names an unknown right', rulesFor('anna', 'sudo'), /allow/],
    [
      'has two classes with one name',
      `classes:\n${'  - { name: a, members: { users: [a] }, machines: { all: true }, own: ["*"] }\n'.repeat(2)}`,
      /is the name of another class/,
    ],
    ['is without rules', '# later\n', /neither access nor classes/],
  ])('that %s leaves the previous rules in force, and reports the error once', async (_what, broken, why) => {
    const { mayAnna, change, rules, logged, audited, reads } = await theRules(rulesFor('anna'));
    await change(broken);
    expect(mayAnna()).toEqual(['view']);
    expect(rules.reloadError()).toMatch(why);
    expect(logged).toEqual(['the rules file is invalid: the previous rules stay in force']);
    expect(audited).toMatchObject([{ event: 'rules_refused' }]);
    expect(reads).toEqual(['faulty']);
    await change(broken);
    expect(logged).toHaveLength(1);
    await change(rulesFor('anna', 'control'));
    expect(rules.reloadError()).toBeUndefined();
    expect(mayAnna()).toEqual(['view', 'control']);
  });

  test.each([
    ['is gone', (file: string) => rm(file), /cannot be read \(ENOENT\)/],
    ['is empty', (file: string) => writeFile(file, ''), /is empty/],
  ])(
    'that %s leaves the rules in force, and reports the error until it is back',
    async (_what, spoil, why) => {
      const { mayAnna, change, rules, logged, clock, file } = await theRules(rulesFor('anna'));
      await spoil(file);
      clock.advance(10_000);
      expect(mayAnna()).toEqual(['view']);
      expect(rules.reloadError()).toMatch(why);
      expect(logged).toHaveLength(1);
      await change(rulesFor('anna'));
      expect(rules.reloadError()).toBeUndefined();
    },
  );

  test('that is invalid at the start fails the configuration check, with the path of the error', async () => {
    await expect(theRules(rulesFor('anna', 'sudo'))).rejects.toThrow(ConfigError);
    await expect(theRules(rulesFor('anna', 'sudo'))).rejects.toThrow(/accessFile: access\.0\.allow/);
  });

  test('is not polled after the broker has stopped', async () => {
    const { rules, clock } = await theRules(rulesFor('anna'));
    await rules.component.stop?.();
    expect(clock.pending()).toBe(0);
  });
});

test('without rules only members of admins have rights', () => {
  const { access: _, ...config } = aConfig();
  const rules = createAccessRules({
    config,
    clock: createFakeClock(),
    log: { info: () => {}, error: () => {} },
    audit: () => {},
  });
  const may = (...groups: string[]) => rules.current().decide({ name: 'a', groups }, machine).allow;
  expect(may('admins')).toEqual([
    'view',
    'control',
    'terminal',
    'watch',
    'power',
    'end',
    'explain',
    'audit',
    'recordings',
  ]);
  expect(may('users')).toEqual([]);
});
