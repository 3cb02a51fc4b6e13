import type { FakeProxmox } from '../../fakes/proxmox/fake-proxmox.ts';
import { explainedRules } from '../access/explained-rules.ts';
import { aCluster, closeBrokers } from '../rig.ts';
import { createCommandFolder, type CommandFolder } from './run.ts';

let fake: FakeProxmox;
let folder: CommandFolder;
beforeEach(async () => {
  fake = await aCluster();
  folder = await createCommandFolder(fake);
});
afterEach(() => folder.remove());
afterEach(closeBrokers);

test('access explain finds the machine at Proxmox and the groups in the users file', async () => {
  await folder.configure(explainedRules);
  for (const machine of ['school/101', '101', 'lab-anna']) {
    const { code, out, err } = await folder.run('access', 'explain', '--user', 'anna', '--machine', machine);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('User:    anna, groups class-a\nMachine: school/101, name lab-anna, node pve1');
    expect(out).toMatch(/Rights: +view, control\n/);
    expect(out).toMatch(/control: clipboard in/);
    expect(out).toMatch(/ view: .* parked after 300 s,[^]* control: .* parked after 900 s,/);
    expect(out).toMatch(/\+ own +gives view, control\n/);
    expect(out).toMatch(/- by day +does not apply to this user or program\n/);
  }
});

test('access explain takes groups, claims, a program and another time', async () => {
  await folder.configure(
    explainedRules,
    `  - { name: claimed, who: { claims: { dept: [a=b] } }, which: { all: true }, allow: [power] }\n`,
  );
  const machine = ['--machine', '102'];
  const none = await folder.run('access', 'explain', '--user', 'anna', '--groups', '', ...machine);
  expect(none.out).toContain('Rights:  none');
  const claimed = await folder.run('access', 'explain', '--user', 'x', '--claim', 'dept=a=b', ...machine);
  expect(claimed.out).toContain('Rights:  power\n');
  const program = await folder.run('access', 'explain', '--program', 'portal', ...machine);
  expect(program.out).toContain('Rights:  view\n');
  const then = await folder.run(
    'access',
    'explain',
    '--user',
    'ben',
    '--at',
    '2026-06-01T09:00Z',
    ...machine,
  );
  expect(then.out).toContain('until 2026-06-01T10:00:00.000Z');
});

test.each([
  ['a missing machine', ['access', 'explain', '--user', 'a', '--machine', '999'], 1, /no machine 999/],
  ['a missing cluster', ['access', 'explain', '--user', 'a', '--machine', 'x/101'], 1, /no cluster x/],
  ['no machine option', ['access', 'explain', '--user', 'a'], 2, /Usage: porthole access explain/],
  ['an invalid time', ['access', 'explain', '--user', 'a', '--machine', '101', '--at', 'noon'], 2, /noon/],
  ['an unknown option', ['access', 'explain', '--who', 'a'], 2, /--who/],
  ['an unknown command', ['access', 'grant'], 2, /porthole COMMAND/],
  ['the name of an object property', ['constructor', ''], 2, /porthole COMMAND/],
])('reports %s', async (_what, args, code, words) => {
  await folder.configure(explainedRules);
  const result = await folder.run(...args);
  expect([result.code, result.out]).toEqual([code, '']);
  expect(result.err).toMatch(words);
});

test('--help lists the commands and their options', async () => {
  expect((await folder.run('--help')).out).toMatch(/user add[\s\S]*access explain[\s\S]*config check/);
  expect((await folder.run()).code).toBe(0);
  expect((await folder.run('config', 'check', '--help')).out).toMatch(/Usage: porthole config check/);
});

test('access explain warns if name patterns give the machine to several users', async () => {
  await folder.configure(
    explainedRules +
      "  - { name: more, who: { everyone: true }, which: { names: ['{user}-*'] }, allow: [view] }\n",
  );
  const { code, out } = await folder.run('access', 'explain', '--user', 'anna', '--machine', '101');
  expect(code).toBe(0);
  expect(out).toContain(
    'Warning: several users match: "anna" by "lab-{user}" in access.0.which.names, "lab" by',
  );
});
