import { eventually } from '../../eventually.ts';
import { closeBrokers } from '../rig.ts';
import { live } from '../sessions/fixtures.ts';
import { aClassSchool, type ClassSchool } from './fixtures.ts';

afterEach(closeBrokers);

const asMember = { classes: [{ name: 'lab', role: 'member' as const }] };

async function instruct(school: ClassSchool, name = 'ina') {
  const browser = await school.rig.signedIn(name);
  return {
    act: async (body: object) => (await browser.post('/api/v1/classes/lab/actions', body)).status,
    look: async () => {
      school.clock.advance(1000);
      return (await browser.get('/api/v1/classes?name=lab')).json.classes[0];
    },
  };
}

test('a pause is stored for its time, announced to the relays, and audited without its text', async () => {
  const school = await aClassSchool();
  const { act, look } = await instruct(school);
  const until = new Date(school.clock.now() + 60_000).toISOString();
  expect(await act({ action: 'pause', seconds: 60, text: 'Eyes up here.' })).toBe(204);
  expect(school.signals).toEqual([{ type: 'class', name: 'lab' }]);
  expect((await look()).paused).toEqual({ until, text: 'Eyes up here.', by: 'ina' });
  const event = school.rig.audited.find((each) => each.event === 'class_action');
  expect(event).toMatchObject({ class: 'lab', action: 'pause', seconds: 60, by: { name: 'ina' } });
  expect(JSON.stringify(school.rig.audited)).not.toContain('Eyes up');
  expect(school.rig.log.join()).not.toContain('Eyes up');
  school.clock.advance(60_000);
  expect((await look()).paused).toBeUndefined();
});

test('a pause that is repeated is one pause, and its last word counts', async () => {
  const school = await aClassSchool();
  const { act, look } = await instruct(school);
  for (const text of ['One.', 'Two.', 'Two.']) await act({ action: 'pause', text });
  expect((await look()).paused.text).toBe('Two.');
  await act({ action: 'resume' });
  expect(await act({ action: 'resume' })).toBe(204);
  expect((await look()).paused).toBeUndefined();
});

test('the name of the instructor stays hidden if the configuration says so', async () => {
  const school = await aClassSchool({ config: { showOperatorName: false } });
  const { act, look } = await instruct(school);
  await act({ action: 'pause', text: 'x' });
  expect((await look()).paused).not.toHaveProperty('by');
});

test.each([
  ['a pause of more than two hours', { action: 'pause', seconds: 7201 }],
  ['a message without text', { action: 'message', text: '  ' }],
  ['a message of more than 500 characters', { action: 'message', text: 'x'.repeat(501) }],
  ['a message with control characters', { action: 'message', text: 'a\u001b[2Jb' }],
  ['a message to no user', { action: 'message', text: 'x', users: [] }],
  ['a message to 201 users', { action: 'message', text: 'x', users: Array(201).fill('u') }],
  ['an unknown action', { action: 'expel' }],
  ['an unknown field', { action: 'resume', force: true }],
])('%s is refused', async (_what, body) => {
  const school = await aClassSchool();
  const { act } = await instruct(school);
  expect([await act(body), school.signals]).toEqual([400, []]);
});

test('two messages that are sent at the same time both arrive', async () => {
  const school = await aClassSchool();
  const { act } = await instruct(school);
  const texts = Array.from({ length: 8 }, (_, index) => `Message ${index}.`);
  await Promise.all(texts.map((text) => act({ action: 'message', text })));
  expect((await school.states.messages.read('lab')).map(({ text }) => text).toSorted()).toEqual(texts);
});

test('seats say whose machine it is, whether it runs and who has it open, and who asks for help first', async () => {
  const school = await aClassSchool();
  const { store } = school.rig;
  await live(store, { sessionId: 's1', user: { id: 'local:ben', name: 'ben' }, vmid: 102, ...asMember });
  await live(store, { sessionId: 's2', user: { id: 'local:ina', name: 'ina' }, vmid: 101 });
  const since = school.clock.now();
  for (const name of ['ben', 'anna'])
    await school.states.help.raise('lab', {
      version: 1,
      user: { id: `local:${name}`, name },
      since,
      text: `${name} needs help`,
    });
  const { look, act } = await instruct(school);
  const { seats, hands, role } = await look();
  expect(role).toBe('instructor');
  expect(
    seats.map(
      (seat: { machine: { name: string }; member?: { name: string }; state: string; help?: object }) => [
        seat.machine.name,
        seat.member?.name,
        seat.state,
        seat.help !== undefined,
      ],
    ),
  ).toEqual([
    ['lab-anna', 'anna', 'free', false],
    ['lab-ben', 'ben', 'open', true],
    ['lab-carl', 'carl', 'off', false],
  ]);
  expect(
    hands.map(({ user, position }: { user: { name: string }; position: number }) => [user.name, position]),
  ).toEqual([
    ['ben', 1],
    ['anna', 2],
  ]);
  await act({ action: 'lower', users: ['local:ben'] });
  expect((await look()).hands).toMatchObject([
    { user: { name: 'anna' }, position: 1, text: 'anna needs help' },
  ]);
});

test('a hand is listed as soon as a relay has announced it, whatever the broker has just read', async () => {
  const school = await aClassSchool();
  const { look } = await instruct(school);
  expect((await look()).hands).toEqual([]);
  const user = { id: 'local:ben', name: 'ben' };
  await school.states.help.raise('lab', { version: 1, user, since: school.clock.now(), text: '' });
  await school.states.announce('lab');
  // The clock stands still.
  expect((await look()).hands).toMatchObject([{ user: { name: 'ben' } }]);
});

test('all classes of the user are named, also if one is asked for, and no others', async () => {
  const school = await aClassSchool();
  const names = async (user: string, query = '') => {
    const { available, classes } = (await (await school.rig.signedIn(user)).get(`/api/v1/classes${query}`))
      .json;
    return [available, classes].map((list: { name: string }[]) => list.map(({ name }) => name));
  };
  expect(await names('ada')).toEqual([
    ['lab', 'other'],
    ['lab', 'other'],
  ]);
  expect(await names('ada', '?name=other')).toEqual([['lab', 'other'], ['other']]);
  expect(await names('olga', '?name=lab')).toEqual([['other'], []]);
  expect(await names('eve')).toEqual([[], []]);
});

test('a member sees only their own machine and hand, and the place in the queue', async () => {
  const school = await aClassSchool();
  for (const name of ['ben', 'anna'])
    await school.states.help.raise('lab', {
      version: 1,
      user: { id: `local:${name}`, name },
      since: school.clock.now(),
      text: '',
    });
  await live(school.rig.store, {
    sessionId: 's1',
    user: { id: 'local:ben', name: 'ben' },
    vmid: 102,
    ...asMember,
  });
  const { look } = await instruct(school, 'anna');
  const seen = await look();
  expect([seen.role, seen.may]).toEqual(['member', []]);
  expect(seen.seats.map(({ machine }: { machine: { vmid: number } }) => machine.vmid)).toEqual([101]);
  expect(seen.hands).toMatchObject([{ user: { name: 'anna' }, position: 2 }]);
  expect(JSON.stringify(seen)).not.toContain('ben');
});

test('"end" gives the consoles a notice of the given time, and can be withdrawn', async () => {
  const school = await aClassSchool();
  const { act, look } = await instruct(school);
  const at = new Date(school.clock.now() + 60_000).toISOString();
  await act({ action: 'end' });
  expect((await look()).ending).toEqual({ at, by: 'ina' });
  await act({ action: 'cancel_end' });
  expect((await look()).ending).toBeUndefined();
  expect((await school.states.read('lab')).ending).toBeUndefined();
});

test('"start" starts the machines that are off, shows the progress, and audits each machine', async () => {
  const school = await aClassSchool();
  const { act, look } = await instruct(school);
  await act({ action: 'start' });
  await eventually('the machine runs', async () => {
    school.clock.advance(1000);
    const { starting } = await look();
    return starting?.started === 1 && !starting.running;
  });
  const { starting, seats } = await look();
  expect(starting).toEqual({ total: 1, started: 1, failed: 0, running: false });
  expect(seats[2].state).toBe('free');
  expect(school.rig.audited.filter(({ event }) => event === 'power')).toMatchObject([
    { action: 'start', machine: { vmid: 103 }, by: { name: 'ina' } },
  ]);
  expect(school.rig.audited.filter(({ event }) => event === 'class_action')).toMatchObject([
    { action: 'start', machines: 1 },
  ]);
});

test('a machine that cannot be started is counted, and the others are started', async () => {
  const school = await aClassSchool();
  school.fake.failRequests(/103\/status\/start/, { status: 500, message: 'no' });
  const { act, look } = await instruct(school);
  await act({ action: 'start' });
  await eventually('it has failed', async () => (await look()).starting?.failed === 1);
  expect(school.rig.audited.some(({ event }) => event === 'power_action_refused')).toBe(true);
  school.fake.failRequests(/103\/status\/start/, null);
});
