import fc from 'fast-check';
import { aClass, aTimetableWorld, minute, wednesday } from './timetable-world.ts';

/** What happens to brokers while they prepare a lesson. */
const event = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), seconds: fc.integer({ min: 5, max: 90 }) }),
  fc.record({
    kind: fc.constant('crash' as const),
    broker: fc.nat(2),
    call: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({
    kind: fc.constant('clock' as const),
    broker: fc.nat(2),
    minutes: fc.integer({ min: -180, max: 180 }),
  }),
  fc.record({ kind: fc.constant('store' as const), up: fc.boolean() }),
  fc.record({ kind: fc.constant('proxmox' as const), up: fc.boolean() }),
  fc.record({ kind: fc.constant('stop' as const), broker: fc.nat(2) }),
);

test('each machine is started exactly once for a lesson, whatever happens to two or three brokers and their clocks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 3 }),
      fc.array(event, { maxLength: 25 }),
      async (count, events) => {
        const world = await aTimetableWorld({ start: '2026-01-07T06:49:00Z', machines: 5, taskMs: 10_000 });
        const brokers = ['one', 'two', 'three'].slice(0, count).map(world.aBroker);
        for (const broker of brokers) broker.start();
        for (const happens of events) {
          const broker = 'broker' in happens ? brokers[happens.broker % count] : undefined;
          if (happens.kind === 'pass') await world.pass(happens.seconds * 1000);
          else if (happens.kind === 'store') world.setStoreUp(happens.up);
          else if (happens.kind === 'proxmox') world.setProxmoxUp(happens.up);
          else if (happens.kind === 'crash') broker?.crashAtCall(happens.call);
          else if (happens.kind === 'clock' && broker) broker.skew = happens.minutes * minute;
          else if (happens.kind === 'stop' && broker && !broker.isCrashed) {
            const stopped = broker.stop();
            await world.pass(5000);
            await Promise.race([stopped, Promise.resolve()]);
          }
        }
        // What is left finds everything in order, and takes over.
        world.setStoreUp(true);
        world.setProxmoxUp(true);
        for (const broker of brokers) broker.skew = 0;
        const last = world.aBroker('last');
        last.start();
        await world.pass(12 * minute);
        const starts = world.done.filter((each) => each.startsWith('start'));
        expect(starts.toSorted()).toEqual([100, 101, 102, 103, 104].map((vmid) => `start ${vmid}`));
        // At most one event each: a broker that crashed between the call and the event wrote none.
        const audited = world.audited.flatMap((each) =>
          each.event === 'timetable_power' && each.action === 'start' ? each.machine.vmid : [],
        );
        expect(new Set(audited).size).toBe(audited.length);
      },
    ),
    { numRuns: 60 },
  );
});

test('each machine is shut down exactly once after a lesson, and never with an open console', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { maxLength: 20 }),
      fc.subarray([100, 101, 102, 103, 104]),
      async (events, open) => {
        const world = await aTimetableWorld({ start: '2026-01-07T08:58:00Z', machines: 5, taskMs: 10_000 });
        world.setAll('running');
        for (const vmid of open) await world.openConsole(vmid);
        const brokers = ['one', 'two', 'three'].map(world.aBroker);
        for (const broker of brokers) broker.start();
        for (const happens of events) {
          const broker = 'broker' in happens ? brokers[happens.broker % 3] : undefined;
          if (happens.kind === 'pass') await world.pass(happens.seconds * 1000);
          else if (happens.kind === 'store') world.setStoreUp(happens.up);
          else if (happens.kind === 'proxmox') world.setProxmoxUp(happens.up);
          else if (happens.kind === 'crash') broker?.crashAtCall(happens.call);
        }
        world.setStoreUp(true);
        world.setProxmoxUp(true);
        world.aBroker('last').start();
        await world.pass(12 * minute);
        const closed = [100, 101, 102, 103, 104].filter((vmid) => !open.includes(vmid));
        expect(world.done.toSorted()).toEqual(closed.map((vmid) => `shutdown ${vmid}`));
      },
    ),
    { numRuns: 40 },
  );
});

test.each([
  // 02:30 does not occur: the lesson begins when the clocks jump from 02:00 to 03:00.
  ['set forward', '2026-03-29', '02:30-04:00', '2026-03-29T01:00:00Z', '2026-03-29T02:00:00Z'],
  // 02:00 to 02:45 occurs twice: two lessons.
  ['set back', '2026-10-25', '02:00-02:45', '2026-10-25T00:00:00Z', '2026-10-25T01:45:00Z'],
])('when clocks are %s, each lesson is prepared once', async (which, day, hours, begin, end) => {
  const world = await aTimetableWorld({
    start: new Date(Date.parse(begin) - 30 * minute).toISOString(),
    machines: 2,
    classes: [
      aClass({ when: { timeZone: 'Europe/Berlin', from: day, until: day, hours }, after: undefined }),
    ],
  });
  for (const name of ['one', 'two']) world.aBroker(name).start();
  await world.passUntil(new Date(Date.parse(begin) - 12 * minute).toISOString());
  expect(world.done).toEqual([]);
  await world.passUntil(begin);
  expect(world.done.toSorted()).toEqual(['start 100', 'start 101']);
  world.setAll('stopped');
  await world.passUntil(end);
  expect(world.done).toHaveLength(which === 'set back' ? 4 : 2);
});

test('lessons of different days are different lessons', async () => {
  const world = await aTimetableWorld({
    start: '2026-01-06T06:45:00Z',
    machines: 2,
    classes: [aClass({ when: { ...wednesday, days: ['tue', 'wed'] } })],
  });
  world.aBroker('one').start();
  for (const time of ['06T07:00', '06T09:10', '07T07:00', '07T09:10'])
    await world.passUntil(`2026-01-${time}:00Z`);
  const both = (action: string) => [`${action} 100`, `${action} 101`];
  expect([0, 2, 4, 6].map((at) => world.done.slice(at, at + 2).toSorted())).toEqual([
    both('start'),
    both('shutdown'),
    both('start'),
    both('shutdown'),
  ]);
});
