import type { AccessRule } from '@porthole/shared/config/access-schema';
import { loginRef } from '@porthole/broker/sign-in/logins/login-sessions';
import { takeGrant } from '@porthole/shared/grant/grant';
import { leaseNames } from '@porthole/shared/store/keys';
import { systemClock } from '@porthole/shared/time/clock';
import { createFakeClock } from '../../fakes/clock.ts';
import { closeBrokers } from '../rig.ts';
import { access, aSchool, control, path, taking } from './fixtures.ts';

afterEach(closeBrokers);

test('a grant works once, and has all that the relay needs', async () => {
  const clock = createFakeClock();
  const { rig } = await aSchool({
    clock,
    config: {
      publicUrl: 'https://porthole.school.example',
      allowedOrigins: ['https://portal.school.example/'],
      limits: { sessionSeconds: 3600, idleSeconds: 600, consolesPerUser: 5, consolesPerMachine: 3 },
    },
  });
  const anna = await rig.signedIn('anna');
  const answer = await anna.post(path(101), control);
  expect(answer.status).toBe(201);
  expect(answer.headers['cache-control']).toBe('no-store');
  const expiresAt = clock.now() + 60_000;
  expect(answer.json).toEqual({
    id: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
    url: 'wss://porthole.school.example/relay/v1/console',
    protocols: ['porthole.v1', expect.stringMatching(/^porthole\.grant\.[A-Za-z0-9_-]{43}$/)],
    page: 'https://porthole.school.example/console/school/101',
    expiresAt: new Date(expiresAt).toISOString(),
    machine: { name: 'lab-anna', type: 'qemu', node: 'pve1' },
    allow: ['view', 'control'],
  });
  const token = answer.json.protocols[1].slice('porthole.grant.'.length);
  expect(await takeGrant(taking(rig, clock), token)).toEqual({
    version: 1,
    sessionId: answer.json.id,
    loginRef: loginRef(anna.cookie?.split('=')[1] ?? ''),
    user: { id: 'local:anna', name: 'anna', groups: ['class-a'] },
    cluster: 'school',
    node: 'pve1',
    type: 'qemu',
    vmid: 101,
    machineName: 'lab-anna',
    mode: 'control',
    kind: 'screen',
    limits: { sessionSeconds: 3600, idleSeconds: 600, parkSeconds: 900, perUser: 5, perMachine: 3 },
    origins: ['https://porthole.school.example', 'https://portal.school.example'],
    issuedAt: clock.now(),
    expiresAt,
  });
  await expect(takeGrant(taking(rig, clock), token)).rejects.toMatchObject({ code: 'grant_invalid' });
});

test('a grant has the maximum session length if the policy permits extensions', async () => {
  const clock = createFakeClock();
  const { rig } = await aSchool({
    clock,
    config: { limits: { sessionSeconds: 3600, extendSeconds: 900, maxSessionSeconds: 7200 } },
  });
  const anna = await rig.signedIn('anna');
  const answer = await anna.post('/api/v1/consoles/school/101/grants', { mode: 'control' });
  const token = answer.json.protocols[1].slice('porthole.grant.'.length);
  expect((await takeGrant(taking(rig, clock), token)).limits).toMatchObject({
    sessionSeconds: 3600,
    extendSeconds: 900,
    maxSessionSeconds: 7200,
  });
});

test('a container has a screen, and a grant names the current node of the machine', async () => {
  const clock = createFakeClock();
  const { rig, fake } = await aSchool({ clock });
  const anna = await rig.signedIn('anna');
  await anna.get('/api/v1/consoles');
  fake.migrate(200, 'pve1');
  clock.advance(3000);
  const answer = await anna.post(path(200), { mode: 'view' });
  expect(answer.json.machine).toEqual({ name: 'teacher', type: 'lxc', node: 'pve1' });
});

test.each([
  ['wss://relay.school.example', 'wss://relay.school.example/relay/v1/console'],
  ['https://relay.school.example/', 'wss://relay.school.example/relay/v1/console'],
  ['wss://school.example/porthole/console', 'wss://school.example/porthole/console'],
  [undefined, 'ws://localhost:8080/relay/v1/console'],
])('with the relay at %s consoles are at %s', async (relayUrl, expected) => {
  const { rig } = await aSchool({ config: relayUrl ? { relayUrl } : {} });
  const anna = await rig.signedIn('anna');
  expect((await anna.post(path(101), control)).json.url).toBe(expected);
});

test.each([
  ['control', '?kind=terminal'],
  ['view', '?kind=terminal&mode=view'],
])('a terminal, to %s, opens where a rule gives the terminal, and nothing else does', async (mode, query) => {
  const terminals: AccessRule[] = [
    ...access,
    { who: { users: ['ben'] }, which: { names: ['lab-*'] }, allow: ['terminal'] },
  ];
  const { rig } = await aSchool({ config: { access: terminals } });
  const ben = await rig.signedIn('ben');
  const answer = await ben.post(path(101), { mode, kind: 'terminal' });
  expect(answer.status).toBe(201);
  expect(answer.json.page).toMatch(new RegExp(`/console/school/101\\${query}$`));
  const token = answer.json.protocols[1].slice('porthole.grant.'.length);
  expect(await takeGrant(taking(rig, systemClock), token)).toMatchObject({ kind: 'terminal', mode });
  expect((await ben.post(path(101), { mode, kind: 'screen' })).json.code).toBe('not_allowed');
  const [listed] = (await ben.get('/api/v1/consoles')).json.consoles;
  expect(listed).toMatchObject({ allow: ['terminal'], kinds: ['terminal'] });
  const anna = await rig.signedIn('anna');
  expect((await anna.post(path(101), { mode, kind: 'terminal' })).json.code).toBe('not_allowed');
});

describe('a grant is refused', () => {
  test('without a sign-in', async () => {
    const { rig } = await aSchool();
    const answer = await rig.browser().post(path(101), control);
    expect([answer.status, answer.json.code]).toEqual([401, 'not_signed_in']);
  });

  test('for control if the rules give view only', async () => {
    const { rig } = await aSchool();
    const answer = await (await rig.signedIn('anna')).post(path(200), control);
    expect([answer.status, answer.json.code]).toEqual([403, 'not_allowed']);
  });

  test('for a machine without rights, with the same response as for a missing machine', async () => {
    const { rig } = await aSchool();
    const ben = await rig.signedIn('ben');
    const [hidden, missing, elsewhere] = [
      await ben.post(path(101), control),
      await ben.post(path(999), control),
      await ben.post(path(101, 'office'), control),
    ];
    expect(hidden.status).toBe(404);
    expect(hidden.json.code).toBe('machine_not_found');
    for (const other of [missing, elsewhere])
      expect({ ...other.json, requestId: '' }).toEqual({ ...hidden.json, requestId: '' });
  });

  test.each([
    '1e3',
    '0x65',
    '101.0',
    '0101',
    '+101',
    '-101',
    '99999999999999999999',
    '%31%30%31x',
    '101%00',
    'NaN',
    '99',
  ])('the machine number %s', async (vmid) => {
    const { rig } = await aSchool();
    const answer = await (await rig.signedIn('anna')).post(path(vmid), control);
    expect([answer.status, answer.json.code]).toEqual([404, 'machine_not_found']);
  });

  test('for a template', async () => {
    const { rig } = await aSchool();
    expect((await (await rig.signedIn('anna')).post(path(900), control)).status).toBe(404);
  });

  test.each([
    ['no mode', {}, /^mode: /],
    ['an unknown mode', { mode: 'own' }, /^mode: /],
    ['an unknown field', { mode: 'view', vmid: 102 }, /vmid/],
    ['an unknown kind', { mode: 'control', kind: 'node' }, /^kind: /],
    ['a list', [], /./],
  ])('%s, with the reason', async (_what, body, detail) => {
    const { rig } = await aSchool();
    const answer = await (await rig.signedIn('anna')).post(path(101), body);
    expect([answer.status, answer.json.code]).toEqual([400, 'bad_request']);
    expect(answer.json.detail).toMatch(detail);
  });

  test('for a user at the limit of open consoles', async () => {
    const { rig } = await aSchool({ config: { limits: { consolesPerUser: 1 } } });
    const anna = await rig.signedIn('anna');
    await rig.store.leases.tryAcquire(leaseNames.user('local:anna'), 'some session', 1, 60_000);
    const answer = await anna.post(path(101), control);
    expect([answer.status, answer.json.code]).toEqual([429, 'user_limit']);
  });

  test('for a user who requests too many, and for no other user', async () => {
    const { rig } = await aSchool({
      config: {
        limits: { grantsPerMinute: 2 },
        access: [{ who: { everyone: true }, which: { all: true }, allow: ['control'] }],
      },
    });
    const anna = await rig.signedIn('anna');
    for (let i = 0; i < 2; i++) expect((await anna.post(path(101), control)).status).toBe(201);
    const answer = await anna.post(path(101), control);
    expect([answer.status, answer.json.code]).toEqual([429, 'rate_limited']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect((await (await rig.signedIn('ben')).post(path(101), control)).status).toBe(201);
  });

  test('while Proxmox is unavailable, even with a stale list, and the response names no host', async () => {
    const clock = createFakeClock();
    const { rig, fake } = await aSchool({ clock });
    const anna = await rig.signedIn('anna');
    await anna.get('/api/v1/consoles');
    fake.failRequests(/resources/, { status: 403, message: 'Permission check failed (/vms, VM.Audit)' });
    clock.advance(3000);
    const answer = await anna.post(path(101), control);
    expect([answer.status, answer.json.code]).toEqual([502, 'proxmox_permission']);
    expect(answer.text).not.toMatch(/pve|127\.|VM\.Audit/);
  });
});

test('each grant writes an audit event with user and machine, and without the token', async () => {
  const { rig } = await aSchool();
  const answer = await (await rig.signedIn('anna')).post(path(101), control);
  const events = rig.audited.filter(({ event }) => event === 'grant');
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({
    session: answer.json.id,
    user: { id: 'local:anna', name: 'anna' },
    machine: { cluster: 'school', node: 'pve1', type: 'qemu', vmid: 101, name: 'lab-anna' },
    mode: 'control',
    address: '127.0.0.1',
  });
  expect(rig.log.join('') + JSON.stringify(rig.audited)).not.toContain(
    answer.json.protocols[1].slice('porthole.grant.'.length),
  );
});
