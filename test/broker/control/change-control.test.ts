import fc from 'fast-check';
import { createAccess } from '@porthole/broker/access/decide';
import { permissionsFor } from '@porthole/broker/sessions/permissions';
import { createMachineControls } from '@porthole/shared/control/machine-controls';
import { systemRandom } from '@porthole/shared/crypto/random';
import { accessDocument } from '@porthole/shared/config/access-schema';
import type { SessionRecord } from '@porthole/shared/session/records';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import type { Right } from '@porthole/shared/config/access-schema';
import { aClassSchool, type ClassSchool } from '../classes/fixtures.ts';
import { keys, live } from '../sessions/fixtures.ts';
import { closeBrokers, type RigOptions } from '../rig.ts';

afterEach(closeBrokers);

const bensMachine = { vmid: 102, machineName: 'lab-ben', node: 'pve2' };
const asMember = { classes: [{ name: 'lab', role: 'member' as const }] };

/** The class with Ben's console, and a console of each further user on his machine. */
async function aLesson(others: readonly string[] = ['ina'], options?: RigOptions) {
  const school = await aClassSchool(options);
  const { store } = school.rig;
  const ben = { id: 'local:ben', name: 'ben' };
  await live(store, { sessionId: 'ben-1', user: ben, ...bensMachine, ...asMember });
  for (const name of others)
    await live(store, { sessionId: `${name}-1`, user: { id: `local:${name}`, name }, ...bensMachine });
  const controls = createMachineControls({
    records: store.records,
    signals: createConsoleSignals({ bus: store.signals, keys, random: systemRandom, clock: school.clock }),
    keys,
    random: systemRandom,
  });
  const act = async (name: string, action: string, session = 'ben-1') =>
    (await school.rig.signedIn(name)).post(`/api/v1/sessions/${session}/control`, { action });
  return { ...school, act, read: () => controls.read({ cluster: 'school', vmid: 102 }) };
}

const audited = ({ rig }: Pick<ClassSchool, 'rig'>) =>
  rig.audited.filter(({ event }) => event === 'control' || event === 'control_refused');

test('an instructor takes control of a machine and hands it back, announced to the relays and audited', async () => {
  const lesson = await aLesson();
  expect((await lesson.act('ina', 'take')).status).toBe(204);
  expect(await lesson.read()).toEqual({ version: 1, userId: 'local:ina', sessionId: 'ina-1', by: 'ina' });
  expect((await lesson.act('ina', 'release')).status).toBe(204);
  expect(await lesson.read()).toBeUndefined();
  expect(lesson.signals).toEqual([
    { type: 'control', cluster: 'school', vmid: 102 },
    { type: 'control', cluster: 'school', vmid: 102 },
  ]);
  expect(audited(lesson)).toMatchObject([
    { event: 'control', by: { id: 'local:ina' }, session: 'ina-1', machine: { vmid: 102 }, action: 'take' },
    { event: 'control', by: { id: 'local:ina' }, machine: { name: 'lab-ben' }, action: 'release' },
  ]);
});

test('control goes to the own session of the path', async () => {
  const lesson = await aLesson();
  const ina = { id: 'local:ina', name: 'ina' };
  await live(lesson.rig.store, {
    sessionId: 'ina-2',
    user: ina,
    ...bensMachine,
    since: Date.UTC(2026, 1, 1),
  });
  expect((await lesson.act('ina', 'take', 'ina-1')).status).toBe(204);
  expect((await lesson.read())?.sessionId).toBe('ina-1');
  expect((await lesson.act('ina', 'take', 'ben-1')).status).toBe(204);
  expect((await lesson.read())?.sessionId).toBe('ina-2');
});

test.each([
  ['the member', 'ben', 'ben-1', 403],
  ['another member', 'anna', 'ben-1', 404],
  ['another member, by a console of their own on that machine', 'anna', 'anna-1', 403],
  ['a member of another class', 'dora', 'ben-1', 404],
  ['an instructor of another class', 'olga', 'ben-1', 404],
  ['a user who controls all machines but may not watch', 'eve', 'eve-1', 403],
  ['a user who may watch all machines', 'wes', 'ben-1', 403],
  ['a user without rights', 'carl', 'ben-1', 404],
  ['the instructor, of a session that is not there', 'ina', 'none', 404],
])('%s can not take control', async (_who, name, session, status) => {
  const lesson = await aLesson(['ina', 'anna', 'eve', 'wes']);
  expect((await lesson.act(name, 'take', session)).status).toBe(status);
  expect([await lesson.read(), lesson.signals]).toEqual([undefined, []]);
  expect(audited(lesson).map(({ event }) => event)).toEqual(status === 403 ? ['control_refused'] : []);
});

test('control needs an own console of the machine with mode control, and the answer says so', async () => {
  const lesson = await aLesson([]);
  const ina = { id: 'local:ina', name: 'ina' };
  await live(lesson.rig.store, { sessionId: 'ina-view', user: ina, ...bensMachine, mode: 'view' });
  await live(lesson.rig.store, { sessionId: 'ina-parked', user: ina, ...bensMachine, parked: true });
  await live(lesson.rig.store, { sessionId: 'ina-other', user: ina, vmid: 101 });
  for (const session of ['ben-1', 'ina-view', 'ina-parked']) {
    const { status, json } = await lesson.act('ina', 'take', session);
    expect([status, json.detail ?? json.title]).toEqual([
      400,
      expect.stringContaining('open the console of the machine with mode control first'),
    ]);
  }
  expect(await lesson.read()).toBeUndefined();
});

test('only the holder hands control back, and repeating it does nothing', async () => {
  const lesson = await aLesson(['ina', 'ada', 'eve']);
  await lesson.act('ina', 'take');
  for (const name of ['ada', 'ben', 'eve']) {
    const session = name === 'eve' ? 'eve-1' : 'ben-1';
    expect((await lesson.act(name, 'release', session)).status).toBe(204);
    expect((await lesson.read())?.userId).toBe('local:ina');
  }
  await lesson.act('ina', 'release');
  await lesson.act('ina', 'release');
  expect(audited(lesson)).toHaveLength(2);
});

test('a user with watch and control on the machine may take control away from the instructor', async () => {
  const lesson = await aLesson(['ina', 'ada']);
  await lesson.act('ina', 'take');
  expect((await lesson.act('ada', 'take')).status).toBe(204);
  expect((await lesson.read())?.userId).toBe('local:ada');
});

test('the name of the holder stays hidden if the configuration says so', async () => {
  const lesson = await aLesson(['ina'], { config: { showOperatorName: false } });
  await lesson.act('ina', 'take');
  expect(await lesson.read()).not.toHaveProperty('by');
});

test('a request from another site, or with anything but take or release, does nothing', async () => {
  const lesson = await aLesson();
  const { cookie = '' } = await lesson.rig.signedIn('ina');
  const answer = await lesson.rig.ask('/api/v1/sessions/ben-1/control', {
    method: 'POST',
    body: { action: 'take' },
    headers: { cookie, 'sec-fetch-site': 'cross-site' },
  });
  expect(answer.status).toBe(403);
  expect((await lesson.act('ina', 'steal')).status).toBe(400);
  expect(lesson.signals).toEqual([]);
});

test('a user who changes control too often has to wait', async () => {
  const lesson = await aLesson();
  const browser = await lesson.rig.signedIn('ina');
  const statuses = new Set<number>();
  for (let each = 0; each < 121; each++)
    statuses.add((await browser.post('/api/v1/sessions/ben-1/control', { action: 'release' })).status);
  expect([...statuses]).toEqual([204, 429]);
});

test('a console whose input passes only with control needs watch and control, and is announced as an observer', async () => {
  const lesson = await aLesson([]);
  const request = async (name: string, body: object) =>
    (await (await lesson.rig.signedIn(name)).post('/api/v1/consoles/school/102/grants', body)).status;
  const body = { mode: 'control', inputWhenTaken: true };
  expect(await request('ina', body)).toBe(201);
  const grant = lesson.rig.audited.find(({ event }) => event === 'grant');
  expect(grant).toMatchObject({ mode: 'control', observer: true });
  expect(await request('ina', { mode: 'view', inputWhenTaken: true })).toBe(400);
  expect(await request('wes', body)).toBe(403);
  expect(await request('eve', body)).toBe(403);
  expect(await request('ben', body)).toBe(403);
});

test('the page of the class shows instructors who has control, and members nothing of it', async () => {
  const lesson = await aLesson([]);
  const ina = { id: 'local:ina', name: 'ina' };
  await live(lesson.rig.store, { sessionId: 'ina-1', user: ina, ...bensMachine, hasControl: true });
  const seat = async (name: string) => {
    const { json } = await (await lesson.rig.signedIn(name)).get('/api/v1/classes?name=lab');
    return json.classes[0].seats.find((each: { machine: { vmid: number } }) => each.machine.vmid === 102);
  };
  expect((await seat('ina')).control).toEqual({ user: ina, mine: true });
  expect(await seat('ben')).not.toHaveProperty('control');
});

test('whatever the rules give, members of a class never take control of its machines, others only with watch and control', async () => {
  const rights = fc.subarray<Right>(['view', 'watch', 'control', 'end', 'power']);
  const { rig } = await aClassSchool();
  const machine = { cluster: 'school', node: 'pve1', type: 'qemu', vmid: 101, name: 'lab-1', tags: ['lab'] };
  await fc.assert(
    fc.asyncProperty(
      rights.filter((allow) => allow.length > 0),
      fc.boolean(),
      fc.boolean(),
      fc.boolean(),
      async (allow, isMember, isInstructor, isInstructed) => {
        const document = accessDocument.parse({
          access: [{ who: { users: ['u'] }, which: { all: true }, allow }],
          classes: [
            {
              name: 'lab',
              members: { users: isMember ? ['u', 'x'] : ['x'] },
              ...(isInstructed ? { instructors: { users: isInstructor ? ['u', 'y'] : ['y'] } } : {}),
              machines: { tags: ['lab'] },
              own: ['lab-1'],
              allow: ['control'],
            },
          ],
        });
        const access = createAccess(document, { limits: rig.config.limits, now: () => 0 });
        const permissions = await permissionsFor(
          {
            access: () => access,
            directory: { list: async () => ({ machines: [machine] }) as never },
          },
          { id: 'local:u', name: 'u', groups: [] },
        );
        const session = { ...machine, machineName: 'lab-1', user: { id: 'local:x', name: 'x' } };
        const may = permissions.mayTakeControl(session as unknown as SessionRecord);
        const instructs = isInstructed && isInstructor;
        // A class gives its members control of their machines.
        const mayControl = isMember || allow.includes('control');
        const isPlainMember = isInstructed && isMember && !isInstructor;
        const expected = instructs || (!isPlainMember && allow.includes('watch') && mayControl);
        expect(may).toBe(expected);
      },
    ),
    { numRuns: 200 },
  );
});
