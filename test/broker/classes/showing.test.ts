import fc from 'fast-check';
import { takeGrant } from '@porthole/shared/grant/grant';
import { leaseNames } from '@porthole/shared/store/keys';
import { closeBrokers } from '../rig.ts';
import { taking } from '../grants/fixtures.ts';
import { aClassSchool, type ClassSchool } from './fixtures.ts';

afterEach(closeBrokers);

type SignedIn = Awaited<ReturnType<ClassSchool['rig']['signedIn']>>;

const follow = { mode: 'view', follow: 'class' };
const grants = (vmid: number) => `/api/v1/consoles/school/${vmid}/grants`;
const act = (user: SignedIn, action: object, name = 'lab') =>
  user.post(`/api/v1/classes/${name}/actions`, action);
const show = (vmid: number, over: object = {}) => ({ action: 'show', cluster: 'school', vmid, ...over });

test('while a machine is shown, members get a view-only grant without clipboard for it, and for no other', async () => {
  const { rig, clock, signals, states } = await aClassSchool();
  const [ina, ben] = [await rig.signedIn('ina'), await rig.signedIn('ben')];
  expect((await ben.post(grants(101), follow)).status).toBe(404);
  expect((await act(ina, show(101, { seconds: 600 }))).status).toBe(204);
  expect(signals).toMatchObject([{ type: 'class', name: 'lab' }]);
  const { showing } = await states.read('lab');
  expect(showing).toMatchObject({ cluster: 'school', vmid: 101, name: 'anna', by: 'ina' });
  const granted = await ben.post(grants(101), follow);
  expect([granted.status, granted.json.allow]).toEqual([201, []]);
  const token = granted.json.protocols[1].slice('porthole.grant.'.length);
  const claims = await takeGrant(taking(rig, clock), token);
  expect(claims).toMatchObject({
    mode: 'view',
    clipboard: 'none',
    vmid: 101,
    follows: { class: 'lab', showing: showing?.id },
    limits: { sessionSeconds: 600 },
  });
  expect([claims.observer, claims.limits.maxSessionSeconds]).toEqual([undefined, undefined]);
  expect(rig.audited.at(-1)).toMatchObject({ event: 'grant', user: { name: 'ben' }, rules: ['lab (shown)'] });
  expect((await ben.post(grants(103), follow)).status).toBe(404);
  expect((await ben.post(grants(101), { mode: 'view' })).status).toBe(404);
});

test.each([
  { mode: 'control', follow: 'class' },
  { mode: 'view', kind: 'terminal', follow: 'class' },
  { mode: 'view', watch: true, follow: 'class' },
  { mode: 'view', follow: 'everyone' },
])('a request for %j is refused', async (body) => {
  const { rig } = await aClassSchool();
  await act(await rig.signedIn('ina'), show(101));
  expect((await (await rig.signedIn('ben')).post(grants(101), body)).status).toBe(400);
});

test.each([
  [
    'is stopped',
    async ({ rig }: ClassSchool) => void (await act(await rig.signedIn('ina'), { action: 'stop_showing' })),
  ],
  ['has reached its time', async ({ clock }: ClassSchool) => clock.advance(3_600_000)],
  [
    'shows another machine',
    async ({ rig }: ClassSchool) => void (await act(await rig.signedIn('ina'), show(102))),
  ],
  [
    'has ended with the class',
    async ({ rig, clock }: ClassSchool) => {
      await act(await rig.signedIn('ina'), { action: 'end', seconds: 10 });
      clock.advance(10_000);
    },
  ],
])('members get no grant any more when the showing %s', async (_why, end) => {
  const school = await aClassSchool();
  const ben = await school.rig.signedIn('ben');
  await act(await school.rig.signedIn('ina'), show(101));
  expect((await ben.post(grants(101), follow)).status).toBe(201);
  await end(school);
  // The sign-in may have expired meanwhile.
  const again = await school.rig.signedIn('ben');
  expect((await again.post(grants(101), follow)).status).toBe(404);
});

test('a class that begins again after its end can be shown something', async () => {
  const { rig, clock } = await aClassSchool();
  const [ina, ben] = [await rig.signedIn('ina'), await rig.signedIn('ben')];
  await act(ina, { action: 'end', seconds: 10 });
  clock.advance(11_000);
  await act(ina, show(101));
  expect((await ben.post(grants(101), follow)).status).toBe(201);
});

test('only members can follow, and what they follow counts against no limit of theirs', async () => {
  const { rig } = await aClassSchool({ config: { limits: { consolesPerUser: 1 } } });
  await act(await rig.signedIn('ina'), show(101));
  for (const name of ['dora', 'olga', 'carl', 'eve', 'wes'])
    expect([name, (await (await rig.signedIn(name)).post(grants(101), follow)).status]).toEqual([name, 404]);
  await rig.store.leases.tryAcquire(leaseNames.user('local:ben'), 'own console', 1, 60_000);
  expect((await (await rig.signedIn('ben')).post(grants(101), follow)).status).toBe(201);
});

test('instructors show machines that they may see and that run, also from outside of the class', async () => {
  const { rig, states } = await aClassSchool({
    config: {
      access: [{ who: { users: ['ina'] }, which: { vmids: [201] }, allow: ['control'] }],
    },
  });
  const ina = await rig.signedIn('ina');
  expect((await act(ina, show(201))).status).toBe(204);
  expect((await states.read('lab')).showing).toMatchObject({ vmid: 201, name: 'other-dora' });
  // Off, unknown, and not visible to another instructor.
  expect((await act(ina, show(103))).status).toBe(409);
  expect((await act(ina, show(999))).status).toBe(404);
  expect((await act(await rig.signedIn('olga'), show(101), 'other')).status).toBe(404);
  expect((await states.read('lab')).showing?.vmid).toBe(201);
});

test('the class says what is shown, also to members, and each action is audited with its machine', async () => {
  const { rig, clock } = await aClassSchool();
  const [ina, ben] = [await rig.signedIn('ina'), await rig.signedIn('ben')];
  await act(ina, show(101));
  const shown = {
    cluster: 'school',
    vmid: 101,
    name: 'anna',
    by: 'ina',
    until: new Date(clock.now() + 3_600_000).toISOString(),
  };
  for (const user of [ina, ben])
    expect((await user.get('/api/v1/classes?name=lab')).json.classes[0].shown).toEqual(shown);
  await act(ina, { action: 'stop_showing' });
  expect((await ina.get('/api/v1/classes?name=lab')).json.classes[0].shown).toBeUndefined();
  expect(rig.audited.filter(({ event }) => event === 'class_action')).toMatchObject([
    { action: 'show', machine: { cluster: 'school', vmid: 101 } },
    { action: 'stop_showing' },
  ]);
});

test('whatever instructors and other users do, a grant to follow needs a member and the machine that is shown now', async () => {
  const names = ['ina', 'olga', 'ben', 'dora', 'wes', 'eve'] as const;
  const vmid = fc.constantFrom(101, 102, 201);
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('show' as const),
      name: fc.constantFrom(...names),
      vmid,
      seconds: fc.constantFrom(10, 600),
    }),
    fc.record({ kind: fc.constant('stop' as const), name: fc.constantFrom(...names) }),
    fc.record({ kind: fc.constant('pass' as const), seconds: fc.constantFrom(5, 60) }),
    fc.record({ kind: fc.constant('follow' as const), name: fc.constantFrom(...names), vmid }),
  );
  const school = await aClassSchool({ config: { limits: { grantsPerMinute: 100_000 } } });
  const { rig, clock } = school;
  const users = new Map(
    await Promise.all(names.map(async (name) => [name, await rig.signedIn(name)] as const)),
  );
  const userOf = (name: (typeof names)[number]) => users.get(name) as SignedIn;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      await act(userOf('ina'), { action: 'stop_showing' });
      let shown: { readonly vmid: number; readonly until: number } | undefined;
      for (const one of steps) {
        if (one.kind === 'pass') clock.advance(one.seconds * 1000);
        else if (one.kind === 'follow') {
          const { status } = await userOf(one.name).post(grants(one.vmid), follow);
          const isShown = shown?.vmid === one.vmid && clock.now() < shown.until;
          expect(status).toBe(one.name === 'ben' && isShown ? 201 : 404);
        } else if (one.kind === 'stop') {
          const { status } = await act(userOf(one.name), { action: 'stop_showing' });
          if (status === 204) shown = undefined;
          expect(status === 204).toBe(['ina', 'wes'].includes(one.name));
        } else {
          const { status } = await act(userOf(one.name), show(one.vmid, { seconds: one.seconds }));
          // wes may watch everything, ina only the machines of the class.
          const may = one.name === 'wes' || (one.name === 'ina' && one.vmid !== 201);
          expect(status === 204).toBe(may);
          if (may) shown = { vmid: one.vmid, until: clock.now() + one.seconds * 1000 };
        }
        // More than a user may do in a minute.
        clock.advance(1100);
      }
    }),
    { numRuns: 25 },
  );
});
