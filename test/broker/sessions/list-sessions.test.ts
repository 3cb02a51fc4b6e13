import { closeBrokers } from '../rig.ts';
import { aSchool, ben, idsFor, live } from './fixtures.ts';

afterEach(closeBrokers);

describe('GET /api/v1/sessions', () => {
  test('lists own sessions for users, those of the class for instructors, and all for operators', async () => {
    const { rig, clock } = await aSchool();
    expect(await idsFor(rig, clock, 'anna', '')).toEqual(['anna-1']);
    expect(await idsFor(rig, clock, 'anna')).toEqual(['anna-1']);
    expect(await idsFor(rig, clock, 'ina')).toEqual(['anna-1', 'ben-1']);
    expect(await idsFor(rig, clock, 'ina', '?scope=class&class=networks')).toEqual(['anna-1', 'ben-1']);
    expect(await idsFor(rig, clock, 'ada')).toEqual(['anna-1', 'ben-1', 'eve-1']);
    expect(await idsFor(rig, clock, 'ada', '?scope=mine')).toEqual([]);
    // Has control of every machine, and neither watch nor end.
    expect(await idsFor(rig, clock, 'eve')).toEqual(['eve-1']);
  });

  test('shows user, machine, relay, start, traffic, observers and permitted actions', async () => {
    const { rig } = await aSchool();
    await live(rig.store, {
      sessionId: 'ina-1',
      user: { id: 'local:ina', name: 'ina', displayName: 'Ina I.' },
      mode: 'view',
      observer: true,
    });
    const answer = await (await rig.signedIn('ina')).get('/api/v1/sessions?scope=all');
    expect(answer.json.classes).toEqual([{ name: 'networks', title: 'Networks' }]);
    expect(answer.json.sessions).toContainEqual({
      id: 'anna-1',
      user: { id: 'local:anna', name: 'anna' },
      machine: { cluster: 'school', vmid: 101, name: 'lab-anna', type: 'qemu', node: 'pve1' },
      mode: 'control',
      kind: 'screen',
      relay: 'relay-1',
      since: '2026-01-01T00:00:00.000Z',
      bytes: { toViewer: 1000, toMachine: 10 },
      observers: ['Ina I.'],
      mine: false,
      may: ['end', 'watch', 'control'],
    });
  });

  test('shows which sessions are parked, and which share the console of their machine', async () => {
    const { rig } = await aSchool();
    await live(rig.store, { sessionId: 'ben-2', ...ben, parked: true });
    await live(rig.store, { sessionId: 'ben-3', ...ben, shared: true });
    const { sessions } = (await (await rig.signedIn('ada')).get('/api/v1/sessions?scope=all')).json;
    const idsWith = (field: 'parked' | 'shared') =>
      sessions.flatMap((session: Record<string, unknown>) => (session[field] === true ? session['id'] : []));
    expect([idsWith('parked'), idsWith('shared')]).toEqual([['ben-2'], ['ben-3']]);
    expect(sessions.length).toBeGreaterThan(2);
  });

  test('responds 304 if unchanged, and reads the store once for all users', async () => {
    const { rig, clock } = await aSchool();
    const ada = await rig.signedIn('ada');
    const first = await ada.get('/api/v1/sessions?scope=all');
    const again = await ada.get('/api/v1/sessions?scope=all', { 'if-none-match': first.headers.etag ?? '' });
    expect([again.status, again.text]).toEqual([304, '']);
    await live(rig.store, { sessionId: 'ben-2', ...ben });
    // Relays update records less often than this.
    expect((await ada.get('/api/v1/sessions?scope=all')).json.sessions).toHaveLength(3);
    clock.advance(1000);
    const third = await ada.get('/api/v1/sessions?scope=all', { 'if-none-match': first.headers.etag ?? '' });
    expect([third.status, third.json.sessions.length]).toEqual([200, 4]);
  });

  test('works while Proxmox is unavailable, for rules without pools and tags', async () => {
    const { rig, clock, fake } = await aSchool();
    fake.failRequests(/resources/, { status: 500, message: 'no' });
    expect(await idsFor(rig, clock, 'ada')).toEqual(['anna-1', 'ben-1', 'eve-1']);
    expect(await idsFor(rig, clock, 'ina')).toEqual([]);
  });

  test.each([
    ['of an unknown scope', '?scope=others', 400],
    ['of no class', '?scope=class', 400],
    ['of a class with another scope', '?scope=all&class=networks', 400],
    ['of a class of another instructor', '?scope=class&class=networks', 404],
  ])('refuses a question %s', async (_what, query, status) => {
    const { rig } = await aSchool();
    expect((await (await rig.signedIn('ada')).get(`/api/v1/sessions${query}`)).status).toBe(status);
  });

  test('requires a sign-in', async () => {
    const { rig } = await aSchool();
    expect((await rig.browser().get('/api/v1/sessions')).status).toBe(401);
    expect((await rig.browser().delete('/api/v1/sessions/anna-1')).status).toBe(401);
  });
});

test('/me shows whether the user may watch or end sessions', async () => {
  const { rig } = await aSchool();
  for (const [name, canSeeSessions] of [
    ['ina', true],
    ['ada', true],
    ['anna', false],
    ['eve', false],
  ] as const)
    expect((await (await rig.signedIn(name)).get('/api/v1/me')).json.canSeeSessions).toBe(canSeeSessions);
});
