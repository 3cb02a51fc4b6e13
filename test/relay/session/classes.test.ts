import { createClassStates } from '@porthole/shared/class/class-states';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { systemClock } from '@porthole/shared/time/clock';
import { eventually } from '../../eventually.ts';
import { useRelayRigs, type RelayRig } from '../rig.ts';
import { keys, openWithToken, startTwoRelays } from './resume-rig.ts';

const start = useRelayRigs();

const asMember = { classes: [{ name: 'lab', role: 'member' }] } satisfies Partial<GrantClaims>;
const asInstructor = { classes: [{ name: 'lab', role: 'instructor' }] } satisfies Partial<GrantClaims>;
const ina = { id: 'ina', name: 'Ina', groups: [] };

/** What an instructor does at a broker of the same installation. */
function instructorOf({ store }: RelayRig) {
  const common = { keys, random: systemRandom };
  const signals = createConsoleSignals({ bus: store.signals, ...common, clock: systemClock });
  const states = createClassStates({ ...common, records: store.records, leases: store.leases, signals });
  return {
    states,
    async pause(seconds = 600) {
      const until = Date.now() + seconds * 1000;
      await states.pauses.write('lab', { version: 1, until, text: 'Eyes up here.' }, seconds * 1000);
      await states.announce('lab');
    },
    async resume() {
      await states.pauses.clear('lab');
      await states.announce('lab');
    },
  };
}

test('a pause holds back the input of members, and not that of instructors or of users outside of the class', async () => {
  const rig = await start();
  const instructor = instructorOf(rig);
  const member = await rig.open({ ...asMember });
  const memberRfb = await member.rfb();
  const others = await Promise.all([rig.open({ ...asInstructor, user: ina }), rig.open({ user: ina })]);
  const otherRfbs = await Promise.all(others.map((client) => client.rfb()));
  memberRfb.type('a');
  await eventually('the member types', () => rig.guest.keys() === 'a');
  await instructor.pause();
  await eventually('the page learns it', () => member.messages.some(({ type }) => type === 'paused'));
  memberRfb.type('bcd');
  memberRfb.pointer(10, 10, 1);
  // The machine answers a request that came behind the keys.
  memberRfb.requestUpdate(false);
  await memberRfb.nextUpdate();
  for (const [index, rfb] of otherRfbs.entries()) rfb.type(String(index));
  await eventually('the others type', () => rig.guest.keys().length === 3);
  expect(rig.guest.keys()).toMatch(/^a(01|10)$/);
  expect(rig.guest.pointer().buttons).toBe(0);
  expect(await rig.metrics()).toContain('porthole_relay_paused_sessions 1');
  await instructor.resume();
  await eventually('the page learns it', () => member.messages.some(({ type }) => type === 'unpaused'));
  memberRfb.type('e');
  await eventually('the member types again', () => rig.guest.keys().endsWith('e'));
  for (const client of [member, ...others]) client.close();
});

test('a viewer without control messages is paused, too', async () => {
  const rig = await start();
  await instructorOf(rig).pause();
  const plain = rig.connect({ token: await rig.mint({ ...asMember }), protocols: ['binary'] });
  const rfb = await plain.rfb();
  rfb.type('a');
  // The machine answers a request that came behind the key.
  rfb.requestUpdate(false);
  await rfb.nextUpdate();
  expect(rig.guest.keys()).toBe('');
  plain.close();
});

test('a console that moves to another relay while the class is paused is paused there', async () => {
  const [one, two] = await startTwoRelays(start);
  await instructorOf(one).pause();
  const { client, token } = await openWithToken(one, { ...asMember });
  client.socket.terminate();
  const resumed = two.connect({ token });
  const rfb = await resumed.rfb();
  await eventually('the page learns it', () => resumed.messages.some(({ type }) => type === 'paused'));
  rfb.type('a');
  rfb.requestUpdate(false);
  await rfb.nextUpdate();
  expect(one.guest.keys()).toBe('');
  resumed.close();
});

test('a member raises a hand, learns the place, and lowers it', async () => {
  const rig = await start();
  const { states } = instructorOf(rig);
  const member = await rig.open({ ...asMember });
  await member.rfb();
  expect(member.messages.find(({ type }) => type === 'opened')).toMatchObject({ help: true });
  member.socket.send('{"type":"help","raised":true,"text":"My disk is full"}');
  await eventually('the page learns the place', () =>
    member.messages.some((message) => message.type === 'help' && message.position === 1),
  );
  expect(await states.help.list('lab')).toMatchObject([{ user: { id: 'student' }, text: 'My disk is full' }]);
  member.socket.send('{"type":"help","raised":false}');
  await eventually('the hand is lowered', async () => (await states.help.list('lab')).length === 0);
  await eventually('the page learns it', () => {
    const last = member.messages.findLast(({ type }) => type === 'help');
    return last?.type === 'help' && !last.raised;
  });
  expect(await rig.metrics()).toContain('porthole_relay_help_requests_total{result="raised"} 1');
  member.close();
});

test('a hand of a user outside of all classes, or of an instructor, has no effect', async () => {
  const rig = await start();
  const { states } = instructorOf(rig);
  for (const claims of [{}, asInstructor]) {
    const client = await rig.open(claims);
    await client.rfb();
    expect(client.messages.find(({ type }) => type === 'opened')).not.toHaveProperty('help');
    client.socket.send('{"type":"help","raised":true}');
    client.socket.send('{"type":"ping"}');
    await eventually('the relay has read it', () => client.messages.some(({ type }) => type === 'pong'));
    client.close();
  }
  expect(await states.help.list('lab')).toEqual([]);
});

test('a user who raises and lowers a hand too often is told that it is as before', async () => {
  const rig = await start();
  const { states } = instructorOf(rig);
  const member = await rig.open({ ...asMember });
  await member.rfb();
  for (let each = 0; each < 20; each++) await rig.store.rateLimits.spend('help/user/student', 20, 60);
  member.socket.send('{"type":"help","raised":true}');
  await eventually('the page learns it', () =>
    member.messages.some((message) => message.type === 'help' && !message.raised),
  );
  expect(await states.help.list('lab')).toEqual([]);
  expect(await rig.metrics()).toContain('porthole_relay_help_requests_total{result="refused"} 1');
  member.close();
});

test('a text that is too long closes the console', async () => {
  const rig = await start();
  const client = await rig.open({ ...asMember });
  await client.rfb();
  client.socket.send(JSON.stringify({ type: 'help', raised: true, text: 'x'.repeat(161) }));
  expect((await client.closed).code).toBe(1002);
});

test('the end of a class closes the consoles of its members with the name of the instructor', async () => {
  const rig = await start();
  const { states } = instructorOf(rig);
  const member = await rig.open({ ...asMember });
  const instructor = await rig.open({ ...asInstructor, user: ina });
  await Promise.all([member.rfb(), instructor.rfb()]);
  await states.endings.write('lab', { version: 1, at: Date.now() + 10, by: 'Ina' }, 60_000);
  await states.announce('lab');
  expect(await member.closed).toEqual({ code: 4423, reason: 'Ended by Ina.' });
  expect(instructor.socket.readyState).toBe(instructor.socket.OPEN);
  instructor.close();
});
