import fc from 'fast-check';
import { createAccess } from '@porthole/broker/access/decide';
import { classesOf } from '@porthole/broker/classes/classes-of';
import { seeClass } from '@porthole/broker/classes/class-permissions';
import { accessDocument } from '@porthole/shared/config/access-schema';
import { configSchema } from '@porthole/shared/config/schema';
import { constantSecret } from '@porthole/shared/config/secret';
import { createFakeClock } from '../../fakes/clock.ts';
import { closeBrokers } from '../rig.ts';
import { aClassSchool, notInstructors, config } from './fixtures.ts';

afterEach(closeBrokers);

const actions: readonly object[] = [
  { action: 'pause', seconds: 60 },
  { action: 'resume' },
  { action: 'message', text: 'Hello.' },
  { action: 'lower', users: ['local:ben'] },
  { action: 'start' },
  { action: 'end', seconds: 10 },
  { action: 'cancel_end' },
  { action: 'show', cluster: 'school', vmid: 101 },
  { action: 'stop_showing' },
];

test.each([...notInstructors])('%s can do nothing for a class', async (_who, name, status) => {
  const { rig, signals, states } = await aClassSchool();
  const browser = await rig.signedIn(name);
  for (const action of actions)
    expect([action, (await browser.post('/api/v1/classes/lab/actions', action)).status]).toEqual([
      action,
      status,
    ]);
  expect(signals).toEqual([]);
  expect(await states.read('lab')).toMatchObject({
    paused: undefined,
    ending: undefined,
    showing: undefined,
    messages: [],
  });
  const refused = rig.audited.filter(({ event }) => event === 'class_action_refused');
  expect(refused).toHaveLength(status === 403 ? actions.length : 0);
});

test.each([
  ['the instructor', 'ina', actions.length],
  ['a user who may watch, control and end on all machines', 'ada', actions.length - 1],
  ['a user who may watch all machines', 'wes', 4],
])('%s can do what the rights on the machines permit', async (_who, name, permitted) => {
  const { rig } = await aClassSchool();
  const browser = await rig.signedIn(name);
  const statuses: number[] = [];
  for (const action of actions)
    statuses.push((await browser.post('/api/v1/classes/lab/actions', action)).status);
  expect(statuses.filter((status) => status === 204)).toHaveLength(permitted);
  expect(statuses.filter((status) => status === 403)).toHaveLength(actions.length - permitted);
  const { may } = (await browser.get('/api/v1/classes?name=lab')).json.classes[0];
  expect(may).toHaveLength(permitted);
});

test('whatever students ask for, they get no picture of each other and no control', async () => {
  const { rig, states } = await aClassSchool();
  const ben = await rig.signedIn('ben');
  const own = await ben.post('/api/v1/consoles/school/102/grants', { mode: 'control' });
  expect(own.status).toBe(201);
  const wanted = fc.record(
    {
      mode: fc.constantFrom('view', 'control'),
      kind: fc.constantFrom('screen', 'terminal'),
      watch: fc.boolean(),
      inputWhenTaken: fc.boolean(),
      follow: fc.constant('class'),
    },
    { requiredKeys: ['mode'] },
  );
  await fc.assert(
    fc.asyncProperty(wanted, fc.constantFrom(101, 201), async (body, vmid) => {
      const { status } = await ben.post(`/api/v1/consoles/school/${vmid}/grants`, body);
      // Unknown, forbidden, or impossible in itself. Never granted.
      expect([400, 403, 404, 429]).toContain(status);
    }),
    { numRuns: 50 },
  );
  expect((await ben.post('/api/v1/classes/lab/wall')).status).toBe(403);
  expect((await states.read('lab')).showing).toBeUndefined();
  const granted = rig.audited.flatMap((each) => (each.event === 'grant' ? each.machine.vmid : []));
  expect(granted).toEqual([102]);
});

test('a request from another site does nothing', async () => {
  const { rig, signals } = await aClassSchool();
  const { cookie = '' } = await rig.signedIn('ina');
  const answer = await rig.ask('/api/v1/classes/lab/actions', {
    method: 'POST',
    body: { action: 'pause' },
    headers: { cookie, 'sec-fetch-site': 'cross-site' },
  });
  expect([answer.status, signals]).toEqual([403, []]);
});

test('only instructors are offered the page', async () => {
  const { rig } = await aClassSchool();
  const seen: string[] = [];
  for (const name of ['ina', 'ada', 'ben', 'anna', 'dora', 'eve']) {
    const { canSeeClasses } = (await (await rig.signedIn(name)).get('/api/v1/me')).json;
    if (canSeeClasses) seen.push(name);
  }
  expect(seen).toEqual(['ina', 'ada']);
});

test('a grant says to which class the console belongs, whichever rule permits it', async () => {
  const { rig } = await aClassSchool();
  const access = createAccess(accessDocument.parse({ access: config?.access, classes: config?.classes }), {
    limits: rig.config.limits,
    now: rig.clock.now,
  });
  const machine = {
    cluster: 'school',
    node: 'pve1',
    type: 'qemu',
    vmid: 101,
    name: 'lab-anna',
    pool: undefined,
    tags: ['lab'],
  } as const;
  const roles = (name: string, groups: string[] = []) => classesOf(access.classes, { name, groups }, machine);
  expect(roles('anna', ['lab'])).toEqual([{ name: 'lab', role: 'member' }]);
  // Another member's machine, which a rule lets the user control.
  expect(roles('ben', ['lab'])).toEqual([]);
  expect(roles('ina')).toEqual([{ name: 'lab', role: 'instructor' }]);
  expect(roles('ada')).toEqual([]);
});

test('whatever the rules and the classes, a member who is no instructor can do nothing, and others only what they may on every machine', () => {
  const right = fc.constantFrom('view', 'control', 'watch', 'power', 'end');
  const who = fc.subarray(['ann', 'ben', 'ina'], { minLength: 1 });
  const document = fc.record({
    access: fc.array(
      fc.record({
        who: who.map((users) => ({ users })),
        which: fc.constantFrom({ all: true }, { tags: ['a'] }, { vmids: [101] }),
        allow: fc.uniqueArray(right, { minLength: 1 }),
      }),
      { maxLength: 3 },
    ),
    classes: fc
      .record({
        members: who.map((users) => ({ users })),
        instructors: fc.option(
          who.map((users) => ({ users })),
          { nil: undefined },
        ),
        allow: fc.uniqueArray(right, { minLength: 1 }),
      })
      .map((one) => [{ name: 'lab', machines: { tags: ['a'] }, own: ['*'], ...one }]),
  });
  const { limits } = configSchema.parse({
    clusters: [
      {
        name: 'c',
        urls: ['https://127.0.0.1:1'],
        credential: { token: 'a@b!c', secret: constantSecret('x') },
      },
    ],
    signIn: { local: { usersFile: constantSecret('users: []') } },
  });
  const machines = [101, 102].map((vmid) => ({
    cluster: 'c',
    node: 'n',
    type: 'qemu' as const,
    vmid,
    name: `m-${vmid}`,
    status: 'running',
    tags: ['a'],
    pool: undefined,
  }));
  fc.assert(
    fc.property(document, fc.constantFrom('ann', 'ben', 'ina'), (given, name) => {
      const parsed = accessDocument.parse(given);
      const access = createAccess(parsed, { limits, now: createFakeClock().now });
      const [lab] = access.classes;
      if (!lab) throw new Error('no class');
      const user = { id: `local:${name}`, name, groups: [] };
      const visible = seeClass(access, user, lab, machines);
      const isMember = given.classes[0]?.members.users.includes(name) === true;
      const isInstructor = given.classes[0]?.instructors?.users.includes(name) === true;
      if (isMember && !isInstructor) expect(visible?.may ?? []).toEqual([]);
      const everywhere = (wanted: 'watch' | 'control' | 'end') =>
        machines.every((machine) => access.decide(user, machine).allow.includes(wanted));
      for (const [action, needed] of [
        ['pause', ['watch', 'control']],
        ['message', ['watch']],
        ['end', ['watch', 'end']],
        ['show', ['watch']],
      ] as const)
        if (visible?.may.includes(action)) expect(needed.every(everywhere)).toBe(true);
      if (!given.classes[0]?.instructors) expect(visible).toBeUndefined();
    }),
  );
});
