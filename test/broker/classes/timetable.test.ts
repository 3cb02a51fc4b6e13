import { accessDocument } from '@porthole/shared/config/access-schema';
import { aClass, aTimetableWorld, minute, wednesday } from './timetable-world.ts';

const sorted = (done: readonly string[]) => done.toSorted();

test('machines start ten minutes before the lesson, two at a time per node, each one audited once', async () => {
  const world = await aTimetableWorld({ start: '2026-01-07T06:40:00Z', machines: 9 });
  world.statuses.set(103, 'running');
  const broker = world.aBroker('one');
  broker.start();
  await world.passUntil('2026-01-07T06:49:30Z');
  expect(world.done).toEqual([]);
  await world.passUntil('2026-01-07T07:00:00Z');
  const started = [100, 101, 102, 104, 105, 106, 107, 108];
  expect(sorted(world.done)).toEqual(started.map((vmid) => `start ${vmid}`));
  expect(new Set(world.statuses.values())).toEqual(new Set(['running']));
  expect(world.most.atNode).toBe(2);
  expect(world.audited).toHaveLength(8);
  expect(world.audited[0]).toMatchObject({
    event: 'timetable_power',
    class: 'lab',
    lesson: '2026-01-07T07:00:00.000Z',
    action: 'start',
    machine: { cluster: 'school', name: expect.stringMatching(/^lab-/) },
    task: expect.stringMatching(/^UPID:/),
  });
  await broker.stop();
});

test('a member who shuts down the machine during the lesson does not find it started again', async () => {
  const world = await aTimetableWorld({ start: '2026-01-07T06:49:00Z', machines: 2 });
  world.aBroker('one').start();
  await world.passUntil('2026-01-07T07:20:00Z');
  world.statuses.set(100, 'stopped');
  await world.passUntil('2026-01-07T08:20:00Z');
  expect(sorted(world.done)).toEqual(['start 100', 'start 101']);
});

test('a start that was missed is made up for while the lesson lasts, and not after it', async () => {
  const late = await aTimetableWorld({ start: '2026-01-07T07:40:00Z', machines: 2 });
  late.aBroker('one').start();
  await late.pass(minute);
  expect(sorted(late.done)).toEqual(['start 100', 'start 101']);
  const over = await aTimetableWorld({ start: '2026-01-07T08:31:00Z', machines: 2 });
  over.aBroker('one').start();
  await over.pass(10 * minute);
  expect(over.done).toEqual([]);
});

test.each(['store', 'Proxmox'] as const)(
  'while the %s is unavailable nothing is started, and afterwards everything is',
  async (what) => {
    const world = await aTimetableWorld({ start: '2026-01-07T06:45:00Z', machines: 4 });
    const set = what === 'store' ? world.setStoreUp : world.setProxmoxUp;
    world.aBroker('one').start();
    set(false);
    await world.passUntil('2026-01-07T07:10:00Z');
    expect(world.done).toEqual([]);
    set(true);
    await world.pass(minute);
    expect(sorted(world.done)).toEqual([100, 101, 102, 103].map((vmid) => `start ${vmid}`));
  },
);

test('a machine that cannot be started is tried three times, and each failure is audited', async () => {
  const world = await aTimetableWorld({ start: '2026-01-07T06:45:00Z', machines: 1 });
  world.failing.add(100);
  world.aBroker('one').start();
  await world.passUntil('2026-01-07T08:20:00Z');
  expect(world.done).toEqual(['start 100', 'start 100', 'start 100']);
  expect(world.audited.filter(({ event }) => event === 'timetable_power_failed')).toHaveLength(3);
});

test('half an hour after the lesson, machines without a console are shut down, and the others when their consoles have closed', async () => {
  const world = await aTimetableWorld({ start: '2026-01-07T08:31:00Z', machines: 4 });
  world.setAll('running');
  world.statuses.set(103, 'stopped');
  await world.openConsole(101);
  world.aBroker('one').start();
  await world.passUntil('2026-01-07T08:59:50Z');
  expect(world.done).toEqual([]);
  await world.passUntil('2026-01-07T09:05:00Z');
  expect(sorted(world.done)).toEqual(['shutdown 100', 'shutdown 102']);
  await world.closeConsole(101);
  await world.pass(minute);
  expect(sorted(world.done)).toEqual(['shutdown 100', 'shutdown 101', 'shutdown 102']);
  // Started on purpose, after the timetable has seen to it.
  world.statuses.set(100, 'running');
  world.statuses.set(103, 'running');
  await world.passUntil('2026-01-07T12:00:00Z');
  expect(world.done).toHaveLength(3);
});

test('nothing is shut down that another class needs now or in a moment', async () => {
  const world = await aTimetableWorld({
    start: '2026-01-07T08:29:00Z',
    machines: 6,
    classes: [
      aClass({ prepare: undefined }),
      aClass({
        name: 'next',
        machines: { tags: ['shared'] },
        when: { ...wednesday, hours: '10:05-11:00' },
        prepare: undefined,
        after: undefined,
      }),
    ],
  });
  world.setAll('running');
  world.aBroker('one').start();
  await world.passUntil('2026-01-07T09:50:00Z');
  // 102 and 105 are shared.
  expect(sorted(world.done)).toEqual([100, 101, 103, 104].map((vmid) => `shutdown ${vmid}`));
  // The lesson of the other class is over.
  await world.passUntil('2026-01-07T10:10:00Z');
  expect(sorted(world.done)).toEqual([100, 101, 102, 103, 104, 105].map((vmid) => `shutdown ${vmid}`));
});

test('machines are left alone without prepare and after, and both need lessons', async () => {
  const world = await aTimetableWorld({
    start: '2026-01-07T06:00:00Z',
    classes: [aClass({ prepare: undefined, after: undefined })],
  });
  world.aBroker('one').start();
  await world.passUntil('2026-01-07T07:10:00Z');
  expect(world.done).toEqual([]);
  const parsed = accessDocument.safeParse({ classes: [aClass({ when: undefined })] });
  expect(parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([
    'classes.0.prepare: needs lessons: set when',
    'classes.0.after: needs lessons: set when',
  ]);
});

test('a broker that stops releases the lead and its timers, and another one goes on within seconds', async () => {
  const world = await aTimetableWorld({ start: '2026-01-07T06:49:00Z', machines: 12, taskMs: 20_000 });
  const [one, two] = [world.aBroker('one'), world.aBroker('two')];
  one.start();
  two.start();
  await world.passUntil('2026-01-07T06:50:20Z');
  const before = world.done.length;
  expect(before).toBeLessThan(10);
  const stopped = one.stop();
  await world.pass(20_000);
  await stopped;
  expect(world.done.length).toBeGreaterThan(before);
  await world.passUntil('2026-01-07T07:00:00Z');
  expect(sorted(world.done)).toEqual(Array.from({ length: 12 }, (_, index) => `start ${100 + index}`));
  await two.stop();
  expect(world.clock.pending()).toBe(0);
});
