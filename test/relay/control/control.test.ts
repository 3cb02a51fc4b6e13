import { createMachineControls } from '@porthole/shared/control/machine-controls';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { every, systemClock } from '@porthole/shared/time/clock';
import type { Store } from '@porthole/shared/store/ports';
import { eventually } from '../../eventually.ts';
import type { ConsoleClient } from '../console-client.ts';
import { useRelayRigs, type RelayRig } from '../rig.ts';
import { keys, openWithToken, sessionRecordsIn, startTwoRelays } from '../session/resume-rig.ts';

const start = useRelayRigs();
/** `npm run rehearse` uses 1,000. */
const changes = Number(process.env['CHANGES'] ?? 200);
const machine = { cluster: 'lab', vmid: 100 };
const ina = { id: 'ina', name: 'Ina', groups: [] };
const asIna = { user: ina, sessionId: 'ina-1' };
const control = { version: 1, userId: ina.id, sessionId: 'ina-1', by: 'Ina' } as const;

/** What a broker of the same installation does. */
function controlsOf({ store }: RelayRig) {
  const common = { keys, random: systemRandom };
  const signals = createConsoleSignals({ bus: store.signals, ...common, clock: systemClock });
  return createMachineControls({ ...common, records: store.records, signals });
}

/** The relay that uses it learns of changes later than others. */
function withLateSignals(store: Store, ms: number): Store {
  const { signals } = store;
  return {
    ...store,
    signals: {
      publish: (message) => signals.publish(message),
      subscribe: (listener) =>
        signals.subscribe((message) => void systemClock.after(ms, () => listener(message))),
    },
  };
}

const told = (client: ConsoleClient, type: string) =>
  eventually(`the page is told "${type}"`, () => client.messages.some((message) => message.type === type));

test('input of others does not reach the machine while a user has control, at any relay, and that of the holder does', async () => {
  const [one, two] = await startTwoRelays(start);
  const student = await one.open();
  const studentRfb = await student.rfb();
  const holder = await two.open(asIna);
  const holderRfb = await holder.rfb();
  await controlsOf(one).take(machine, control);
  await Promise.all([student, holder].map((client) => told(client, 'controlled')));
  studentRfb.type('abc');
  studentRfb.pointer(5, 5, 1);
  studentRfb.requestUpdate(false);
  await studentRfb.nextUpdate();
  holderRfb.type('x');
  await eventually('the holder types', () => one.guest.keys() === 'x');
  expect(one.guest.pointer().buttons).toBe(0);
  expect(await one.metrics()).toContain('porthole_relay_controlled_sessions 1');
  student.socket.send('{"type":"ask_control"}');
  await told(holder, 'control_asked');
  expect(holder.messages.at(-1)).toEqual({ type: 'control_asked', by: 'Student' });
  expect(await one.metrics()).toContain('porthole_relay_control_requests_total{result="sent"} 1');
  holder.close();
  await told(student, 'uncontrolled');
  studentRfb.type('d');
  await eventually('the student types again', () => one.guest.keys() === 'xd');
  student.close();
});

test('without shared consoles, control changes hands again and again while both sides type at two relays, and no key of the wrong side arrives', async () => {
  const one = await start();
  const two = await start({ sharedWith: one, store: withLateSignals(one.store, 4) });
  const student = await one.open();
  const holder = await two.open({ ...asIna, inputWhenTaken: true });
  const [studentRfb, holderRfb] = await Promise.all([student.rfb(), holder.rfb()]);
  const controls = controlsOf(one);
  const stopTyping = every(systemClock, 1, () => {
    studentRfb.type('a');
    holderRfb.type('b');
  });
  const passes = (key: string) => {
    const before = one.guest.keys().length;
    return eventually(`${key} passes`, () => one.guest.keys().slice(before).includes(key));
  };
  await passes('a');
  for (let change = 0; change < changes; change++) {
    const takes = change % 2 === 0;
    if (takes) await controls.take(machine, control);
    else expect(await controls.release(machine, { userId: ina.id })).toBe(true);
    await passes(takes ? 'b' : 'a');
  }
  stopTyping();
  // Each change begins another run of the same key. A stray key would begin two more.
  expect(one.guest.keys().match(/a+|b+/g)).toHaveLength(changes + 1);
  for (const client of [student, holder]) client.close();
}, 120_000);

test('a viewer without control messages is held back, too', async () => {
  const rig = await start();
  const holder = await rig.open(asIna);
  await holder.rfb();
  await controlsOf(rig).take(machine, control);
  await told(holder, 'controlled');
  const plain = rig.connect({ token: await rig.mint(), protocols: ['binary'] });
  const rfb = await plain.rfb();
  rfb.type('a');
  rfb.requestUpdate(false);
  await rfb.nextUpdate();
  expect(rig.guest.keys()).toBe('');
  for (const client of [plain, holder]) client.close();
});

test('a console whose input passes only with control passes none before and after it', async () => {
  const rig = await start();
  const holder = await rig.open({ ...asIna, inputWhenTaken: true });
  const rfb = await holder.rfb();
  const settled = async () => {
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
  };
  rfb.type('a');
  await settled();
  await controlsOf(rig).take(machine, control);
  await told(holder, 'controlled');
  rfb.type('b');
  await eventually('the holder types', () => rig.guest.keys() === 'b');
  await controlsOf(rig).release(machine, { userId: ina.id });
  await told(holder, 'uncontrolled');
  rfb.type('c');
  await settled();
  expect(rig.guest.keys()).toBe('b');
  holder.close();
});

test('a holder whose connection breaks keeps control by resuming at another relay', async () => {
  const [one, two] = await startTwoRelays(start);
  const student = await two.open();
  await student.rfb();
  const { client, token } = await openWithToken(one, asIna);
  await controlsOf(one).take(machine, control);
  await told(student, 'controlled');
  client.socket.terminate();
  const resumed = two.connect({ token });
  await resumed.rfb();
  await told(resumed, 'controlled');
  expect(resumed.messages.find(({ type }) => type === 'controlled')).toMatchObject({ mine: true });
  expect(student.messages.map(({ type }) => type)).not.toContain('uncontrolled');
  for (const each of [student, resumed]) each.close();
});

test('the record of the session says who has control', async () => {
  const rig = await start();
  const { client } = await openWithToken(rig, asIna);
  await controlsOf(rig).take(machine, control);
  await told(client, 'controlled');
  await eventually(
    'the record says it',
    async () => (await sessionRecordsIn(rig.store).find('ina-1'))?.hasControl,
  );
  client.close();
});

test('asking for control without need has no effect', async () => {
  const rig = await start();
  const student = await rig.open();
  await student.rfb();
  student.socket.send('{"type":"ask_control"}');
  student.socket.send('{"type":"ping"}');
  await told(student, 'pong');
  expect(await rig.metrics()).toContain('porthole_relay_control_requests_total{result="sent"} 0');
  student.close();
});
