import type { FakeProxmox } from '../../fakes/proxmox/fake-proxmox.ts';
import { explainedRules } from '../access/explained-rules.ts';
import { aCluster, aUser, closeBrokers, usersFile } from '../rig.ts';
import { createCommandFolder, type CommandFolder } from './run.ts';

let fake: FakeProxmox;
let folder: CommandFolder;
beforeEach(async () => {
  fake = await aCluster();
  folder = await createCommandFolder(fake, usersFile(aUser('ann'), aUser('ann-marie')));
});
afterEach(() => folder.remove());
afterEach(closeBrokers);

test('config check finds what is invalid in the configuration, its rules and its users', async () => {
  await folder.configure(explainedRules);
  expect(await folder.run('config', 'check')).toEqual({
    code: 0,
    out: '4 access rules, 0 classes.\nThe configuration is valid.\n',
    err: '',
  });
  await folder.configure(
    `\n  - { who: { everyone: true }, which: { clusters: [nowhere] }, allow: [view] }\n`,
  );
  const { code, err } = await folder.run('config', 'check');
  expect([code, err]).toEqual([2, expect.stringMatching(/there is no cluster nowhere/)]);
  await folder.configure(explainedRules, 'unknown: 1\n');
  expect((await folder.run('config', 'check')).err).toMatch(/unknown: unknown setting/);
});

test('config check warns of patterns that overlap, and names users of the users file', async () => {
  await folder.configure(
    `\n  - { who: { everyone: true }, which: { names: ['{user}', '{user}-*'] }, allow: [view] }\n`,
  );
  const { code, out } = await folder.run('config', 'check');
  expect(code).toBe(0);
  expect(out).toMatch(/^1 access rule, 0 classes\.\nWarning: "\{user\}" in access\.0\.which\.names and /);
  expect(out).toContain('in the users file, "ann-marie" and "ann" share "ann-marie"');
  expect(out).toContain('The configuration is valid.');
});

test.each([
  ["{ names: ['{user}*'] }", /access\.0\.which\.names\.0: has no - or \. between \{user\} and \*/],
  ["{ tags: ['{group}-{user}'] }", /access\.0\.which\.tags\.0: has more than one placeholder/],
])('config check rejects the ambiguous entry %s', async (which, message) => {
  await folder.configure(`\n  - { who: { everyone: true }, which: ${which}, allow: [view] }\n`);
  const { code, err } = await folder.run('config', 'check');
  expect([code, err]).toEqual([2, expect.stringMatching(message)]);
});
