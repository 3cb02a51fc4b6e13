import { constantSecret } from '@porthole/shared/config/secret';
import { aUser, everyoneControlsAll, startBroker, usersFile } from '../../rig.ts';
import { closeSchool, grant, machines, school, signedIn, start } from './school.ts';

afterEach(closeSchool);

describe('the rights of a Proxmox account', () => {
  test('are those of Proxmox without access rules', async () => {
    const { rig } = await start();
    expect(await machines(await signedIn(rig, 'anna'))).toEqual({ 101: ['view', 'control', 'terminal'] });
    expect(await machines(await signedIn(rig, 'ben'))).toEqual({ 101: ['view', 'control', 'terminal'] });
    const all = ['view', 'control', 'terminal', 'power'];
    expect(await machines(await signedIn(rig, 'tina'))).toEqual({ 101: all, 102: all, 110: all });
  });

  test('exclude machines with NoAccess, which stay invisible', async () => {
    const { rig } = await start();
    const tina = await signedIn(rig, 'tina');
    expect((await grant(tina, 102)).status).toBe(201);
    const answer = await grant(tina, 200);
    expect([answer.status, answer.json.code]).toEqual([404, 'machine_not_found']);
  });

  test('are limited by access rules', async () => {
    const { rig } = await start({
      settings: {
        access: [{ who: { users: ['tina@pve', 'anna@ad'] }, which: { vmids: [101, 102] }, allow: ['view'] }],
      },
    });
    expect(await machines(await signedIn(rig, 'tina'))).toEqual({ 101: ['view'], 102: ['view'] });
    expect(await machines(await signedIn(rig, 'anna'))).toEqual({ 101: ['view'] });
    expect(await machines(await signedIn(rig, 'ben'))).toEqual({});
    expect((await grant(await signedIn(rig, 'anna'), 101)).json.code).toBe('not_allowed');
  });

  test('limit access rules that allow more', async () => {
    const { rig } = await start({
      settings: {
        access: [
          {
            who: { everyone: true },
            which: { all: true },
            allow: ['control', 'power', 'watch', 'end', 'explain'],
          },
        ],
      },
    });
    const anna = await signedIn(rig, 'anna');
    expect(await machines(anna)).toEqual({ 101: ['view', 'control', 'watch', 'end', 'explain'] });
    expect((await anna.post('/api/v1/consoles/school/101/power', { action: 'start' })).json.code).toBe(
      'not_allowed',
    );
    expect((await grant(anna, 102)).json.code).toBe('machine_not_found');
  });

  test('do not apply to another cluster', async () => {
    const { rig, fake, clock } = await start();
    const other = await startBroker({
      clock,
      proxmox: [
        { name: 'school', fake },
        { name: 'other', fake },
      ],
      config: { signIn: { proxmox: [school] }, access: undefined },
    });
    const tina = await signedIn(other, 'tina');
    const { json } = await tina.get('/api/v1/consoles');
    expect(new Set((json.consoles as { cluster: string }[]).map(({ cluster }) => cluster))).toEqual(
      new Set(['school']),
    );
    expect((await tina.post('/api/v1/consoles/other/101/grants', { mode: 'view' })).status).toBe(404);
    expect(rig.port).not.toBe(other.port);
  });

  test('do not apply to a user of the same name with another sign-in method', async () => {
    const users = constantSecret(usersFile(aUser('anna@ad')));
    const { rig } = await start({
      settings: {
        signIn: { proxmox: [school], local: { usersFile: users } },
        access: everyoneControlsAll,
      },
    });
    expect(Object.keys(await machines(await rig.signedIn('anna@ad')))).toHaveLength(4);
    expect(Object.keys(await machines(await signedIn(rig, 'anna')))).toEqual(['101']);
  });

  test('follow Proxmox: at once for a grant, and within a minute in the list', async () => {
    const { rig, fake, clock } = await start();
    const anna = await signedIn(rig, 'anna');
    expect(Object.keys(await machines(anna))).toEqual(['101']);
    fake.setAcl('anna@ad', { '/vms/102': ['VM.Console'] });
    clock.advance(5000);
    expect(Object.keys(await machines(anna))).toEqual(['101']);
    expect((await grant(anna, 101)).status).toBe(404);
    expect((await grant(anna, 102)).status).toBe(201);
    expect(Object.keys(await machines(anna))).toEqual(['102']);
  });

  test('are requested once for repeated reads', async () => {
    const { rig, fake } = await start();
    const anna = await signedIn(rig, 'anna');
    for (let time = 0; time < 10; time += 1) await machines(anna);
    expect(fake.calls.filter(({ path: to }) => to.endsWith('/access/permissions'))).toHaveLength(1);
  });

  test('stay cached for the list while Proxmox is unavailable, but not for grants', async () => {
    const { rig, fake, clock } = await start();
    const anna = await signedIn(rig, 'anna');
    await machines(anna);
    fake.failRequests(/access\/permissions/, { status: 500, message: 'broken' });
    clock.advance(61_000);
    expect(Object.keys(await machines(anna))).toEqual(['101']);
    expect((await grant(anna, 101)).status).toBe(502);
    clock.advance(600_000);
    expect((await anna.get('/api/v1/consoles')).status).toBe(502);
    fake.failRequests(/access\/permissions/, null);
    expect((await grant(anna, 101)).status).toBe(201);
  });
});
