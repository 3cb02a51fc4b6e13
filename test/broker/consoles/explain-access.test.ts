import type { FakeProxmox } from '../../fakes/proxmox/fake-proxmox.ts';
import { constantSecret } from '@porthole/shared/config/secret';
import { explainedRules } from '../access/explained-rules.ts';
import { aCluster, aUser, closeBrokers, startBroker, usersFile } from '../rig.ts';

let fake: FakeProxmox;
beforeEach(async () => (fake = await aCluster()));
afterEach(closeBrokers);

describe('GET /api/v1/access/explain', () => {
  async function ask(as: string, query: string) {
    const rig = await startBroker({
      proxmox: [{ name: 'school', fake }],
      users: constantSecret(usersFile(aUser('ada'), aUser('anna', 'class-a'), aUser('ben'))),
      config: { access: undefined, accessFile: constantSecret(`access:${explainedRules}`) },
    });
    return (await rig.signedIn(as)).get(`/api/v1/access/explain?${query}`);
  }

  test('shows the rights of a user, the session policy, and why each rule applies or not', async () => {
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

  test('explains the decision at another time, with its end', async () => {
    const at = (time: string) =>
      ask('ada', `user=ben&cluster=school&vmid=101&at=${encodeURIComponent(time)}`);
    const open = await at('2026-06-01T09:00:00+00:00');
    expect(open.json).toMatchObject({
      allow: ['view'],
      consoles: { view: { until: '2026-06-01T10:00:00.000Z', parkSeconds: 300 } },
    });
    const shut = await at('2026-06-01T11:00:00Z');
    expect([shut.json.allow, shut.json.rules[1].mismatch]).toEqual([[], 'when']);
  });

  test('distinguishes programs from users', async () => {
    const query = 'cluster=school&vmid=101';
    expect((await ask('ada', `program=portal&${query}`)).json.allow).toEqual(['view']);
    expect((await ask('ada', `user=portal&${query}`)).json.allow).toEqual([]);
  });

  test.each([
    ['a user without the right explain', 'anna', 'user=ben&cluster=school&vmid=101', 403, 'not_allowed'],
    [
      'a user without any right on the machine',
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
    ['a query without user and program', 'ada', 'cluster=school&vmid=101', 400, 'bad_request'],
    [
      'who names a person and a program',
      'ada',
      'user=a&program=b&cluster=school&vmid=101',
      400,
      'bad_request',
    ],
    ['an unknown parameter', 'ada', 'user=a&cluster=school&vmid=101&x=1', 400, 'bad_request'],
  ])('refuses %s', async (_what, as, query, status, code) => {
    const answer = await ask(as, query);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
  });
});
