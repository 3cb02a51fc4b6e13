import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { porthole } from '@porthole/broker/cli/porthole';
import type { FakeProxmox } from '../../fakes/proxmox/fake-proxmox.ts';
import { constantSecret } from '@porthole/shared/config/secret';
import { aCluster, aUser, brokerToken, closeBrokers, startBroker, usersFile } from '../rig.ts';

const rules = `
  - { name: own, who: { groups: [class-a] }, which: { names: ['lab-{user}'] }, allow: [control], clipboard: in }
  - { name: by day, who: { users: [ben] }, which: { all: true }, allow: [view], when: { timeZone: UTC, hours: 08:00-10:00 } }
  - { name: admins, who: { users: [ada] }, which: { tags: [lab] }, allow: [control, explain] }
  - { name: portal, who: { programs: [portal] }, which: { all: true }, allow: [view] }
`;

let fake: FakeProxmox;
let folder: string;
beforeEach(async () => {
  fake = await aCluster();
  folder = await mkdtemp(join(tmpdir(), 'porthole-explain-'));
});
afterEach(closeBrokers);
afterEach(() => rm(folder, { recursive: true }));

describe('GET /api/v1/access/explain', () => {
  async function ask(as: string, query: string) {
    const rig = await startBroker({
      proxmox: [{ name: 'school', fake }],
      users: constantSecret(usersFile(aUser('ada'), aUser('anna', 'class-a'), aUser('ben'))),
      config: { access: undefined, accessFile: constantSecret(`access:${rules}`) },
    });
    return (await rig.signedIn(as)).get(`/api/v1/access/explain?${query}`);
  }

  test('says what somebody may do, how, and what each rule has to do with it', async () => {
    const { status, json } = await ask('ada', 'user=anna&group=class-a&cluster=school&vmid=101');
    expect(status).toBe(200);
    expect(json.allow).toEqual(['view', 'control']);
    expect(json.consoles.control).toMatchObject({ clipboard: 'in', sessionSeconds: 43_200 });
    expect(json.rules).toEqual([
      { place: 'access.0', name: 'own', grants: ['view', 'control'] },
      { place: 'access.1', name: 'by day', grants: ['view'], mismatch: 'who' },
      { place: 'access.2', name: 'admins', grants: ['view', 'control', 'explain'], mismatch: 'who' },
      { place: 'access.3', name: 'portal', grants: ['view'], mismatch: 'who' },
    ]);
  });

  test('says so of another time, and until when it is so', async () => {
    const at = (time: string) =>
      ask('ada', `user=ben&cluster=school&vmid=101&at=${encodeURIComponent(time)}`);
    const open = await at('2026-06-01T09:00:00+00:00');
    expect(open.json).toMatchObject({
      allow: ['view'],
      consoles: { view: { until: '2026-06-01T10:00:00.000Z' } },
    });
    const shut = await at('2026-06-01T11:00:00Z');
    expect([shut.json.allow, shut.json.rules[1].mismatch]).toEqual([[], 'when']);
  });

  test('knows a program from a person', async () => {
    const query = 'cluster=school&vmid=101';
    expect((await ask('ada', `program=portal&${query}`)).json.allow).toEqual(['view']);
    expect((await ask('ada', `user=portal&${query}`)).json.allow).toEqual([]);
  });

  test.each([
    ['somebody who may not explain', 'anna', 'user=ben&cluster=school&vmid=101', 403, 'not_allowed'],
    [
      'somebody to whom the machine does not exist',
      'anna',
      'user=ben&cluster=school&vmid=102',
      404,
      'machine_not_found',
    ],
    [
      'an admin, of a machine that is not theirs',
      'ada',
      'user=ben&cluster=school&vmid=200',
      404,
      'machine_not_found',
    ],
    ['who names nobody', 'ada', 'cluster=school&vmid=101', 400, 'bad_request'],
    [
      'who names a person and a program',
      'ada',
      'user=a&program=b&cluster=school&vmid=101',
      400,
      'bad_request',
    ],
    ['who asks for something else', 'ada', 'user=a&cluster=school&vmid=101&x=1', 400, 'bad_request'],
  ])('refuses %s', async (_what, as, query, status, code) => {
    const answer = await ask(as, query);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
  });
});

describe('porthole', () => {
  async function run(...args: string[]) {
    await writeFile(join(folder, 'ca.pem'), fake.caPem);
    await writeFile(join(folder, 'users.yaml'), usersFile(aUser('anna', 'class-a')));
    let [out, err] = ['', ''];
    const code = await porthole(args, {
      stdin: Readable.from([]),
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
      env: { PORTHOLE_CONFIG: 'porthole.yaml' },
      cwd: folder,
      exit: () => {},
    });
    return { code, out, err };
  }
  const configure = (rulesText: string, more = '') =>
    writeFile(
      join(folder, 'porthole.yaml'),
      `clusters:
  - name: school
    urls: ['${fake.url()}']
    credential: { token: ${brokerToken.tokenid}, secret: ${brokerToken.secret} }
    tls: { caFile: ca.pem }
signIn: { local: { usersFile: users.yaml } }
access:${rulesText}${more}`,
    );

  test('access explain asks Proxmox for the machine and the users file for the groups', async () => {
    await configure(rules);
    for (const machine of ['school/101', '101', 'lab-anna']) {
      const { code, out, err } = await run('access', 'explain', '--user', 'anna', '--machine', machine);
      expect([code, err]).toEqual([0, '']);
      expect(out).toContain('anna, in class-a, and lab-anna (school/101 on pve1');
      expect(out).toMatch(/may view, control\n/);
      expect(out).toMatch(/control: clipboard in/);
      expect(out).toMatch(/\+ own +gives view, control\n/);
      expect(out).toMatch(/- by day +does not apply to this user or program\n/);
    }
  });

  test('access explain takes groups, claims, a program and another time', async () => {
    await configure(
      rules,
      `  - { name: claimed, who: { claims: { dept: [a=b] } }, which: { all: true }, allow: [power] }\n`,
    );
    const machine = ['--machine', '102'];
    const none = await run('access', 'explain', '--user', 'anna', '--groups', '', ...machine);
    expect(none.out).toContain('may nothing');
    const claimed = await run('access', 'explain', '--user', 'x', '--claim', 'dept=a=b', ...machine);
    expect(claimed.out).toContain('may power');
    const program = await run('access', 'explain', '--program', 'portal', ...machine);
    expect(program.out).toContain('may view');
    const then = await run('access', 'explain', '--user', 'ben', '--at', '2026-06-01T09:00Z', ...machine);
    expect(then.out).toContain('until 2026-06-01T10:00:00.000Z');
  });

  test.each([
    [
      'a machine that is not there',
      ['access', 'explain', '--user', 'a', '--machine', '999'],
      1,
      /no machine 999/,
    ],
    [
      'a cluster that is not there',
      ['access', 'explain', '--user', 'a', '--machine', 'x/101'],
      1,
      /no cluster x/,
    ],
    ['no machine', ['access', 'explain', '--user', 'a'], 2, /Usage: porthole access explain/],
    [
      'a time that is none',
      ['access', 'explain', '--user', 'a', '--machine', '101', '--at', 'noon'],
      2,
      /noon/,
    ],
    ['an unknown option', ['access', 'explain', '--who', 'a'], 2, /--who/],
    ['an unknown command', ['access', 'grant'], 2, /porthole COMMAND/],
    ['a name that every object has', ['constructor', ''], 2, /porthole COMMAND/],
  ])('says what is wrong about %s', async (_what, args, code, words) => {
    await configure(rules);
    const result = await run(...args);
    expect([result.code, result.out]).toEqual([code, '']);
    expect(result.err).toMatch(words);
  });

  test('says which commands there are, and how each is used', async () => {
    expect((await run('--help')).out).toMatch(/user add[\s\S]*access explain[\s\S]*config check/);
    expect((await run()).code).toBe(0);
    expect((await run('config', 'check', '--help')).out).toMatch(/Usage: porthole config check/);
  });

  test('config check finds what is wrong in the configuration, its rules and its users, all at once', async () => {
    await configure(rules);
    expect(await run('config', 'check')).toEqual({
      code: 0,
      out: '4 access rules, 0 classes.\nThe configuration is good.\n',
      err: '',
    });
    await configure(`\n  - { who: { everyone: true }, which: { clusters: [nowhere] }, allow: [view] }\n`);
    const { code, err } = await run('config', 'check');
    expect([code, err]).toEqual([2, expect.stringMatching(/there is no cluster nowhere/)]);
    await configure(rules, 'unknown: 1\n');
    expect((await run('config', 'check')).err).toMatch(/unknown: unknown setting/);
  });
});
