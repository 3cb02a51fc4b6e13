import fc from 'fast-check';
import { createSharingWorld, type SharingWorld, type WorldViewer } from './sharing-world.ts';

interface Model {
  readonly world: SharingWorld;
  readonly viewers: WorldViewer[];
}

type Event = (model: Model, pick: number) => unknown;

const relays = 2;
const choose = <T>(list: readonly T[], pick: number): T | undefined => list[pick % Math.max(1, list.length)];

const dialErrors = ['machine_stopped', 'proxmox_timeout', 'machine_not_found', 'queue_timeout'] as const;

async function work(world: SharingWorld): Promise<void> {
  await world.settle();
  for (const pending of world.pending()) pending.succeeds();
  await world.settle();
  for (const console of world.openConsoles()) console.sends('picture');
  await world.settle();
}

/** Everything that can happen to the consoles of one machine. */
const events: Readonly<Record<string, Event>> = {
  arrives: ({ world, viewers }, pick) => viewers.push(world.connect(pick % relays)),
  arrivesToWatch: ({ world, viewers }, pick) => viewers.push(world.connect(pick % relays, { mode: 'view' })),
  arrivesWithoutResume: ({ world, viewers }, pick) =>
    viewers.push(world.connect(pick % relays, { resumable: 'never' })),
  arrivesBusy: ({ world, viewers }, pick) =>
    viewers.push(world.connect(pick % relays, { resumable: 'later' })),
  leaves: ({ viewers }, pick) => choose(viewers, pick)?.leaves(),
  opened: ({ world }, pick) => choose(world.pending(), pick)?.succeeds(),
  async notOpened({ world }, pick) {
    await world.settle();
    choose(world.pending(), pick)?.fails(choose(dialErrors, pick) ?? 'proxmox_timeout');
  },
  sends: ({ world }, pick) => choose(world.openConsoles(), pick)?.sends('picture'),
  closes: ({ world }, pick) => choose(world.openConsoles(), pick)?.closes(),
  types: ({ viewers }, pick) => choose(viewers, pick)?.send('x'),
  moment: ({ world }) => world.clock.advance(100),
  seconds: ({ world }) => world.clock.advance(3000),
  minute: ({ world }) => world.clock.advance(60_000),
  storeAway: ({ world }) => world.storeIsAway(true),
  storeBack: ({ world }) => world.storeIsAway(false),
  drains: ({ world }, pick) => pick % 4 === 0 && world.drains((pick / 4) % relays),
  settle: ({ world }) => world.settle(),
  /** Proxmox and the machine do what they should. */
  works: ({ world }) => work(world),
  async breaksAndWorks({ world }) {
    await work(world);
    for (const console of world.openConsoles()) console.closes();
    await world.settle();
    world.clock.advance(500);
    await work(world);
  },
};
const eventNames = [...Object.keys(events), 'works', 'works', 'breaksAndWorks', 'arrives', 'arrives'];

const commands = fc.array(fc.record({ event: fc.constantFrom(...eventNames), pick: fc.nat({ max: 30 }) }), {
  minLength: 1,
  maxLength: 60,
});

const open = ['waiting', 'pass_through', 'shared', 'forwarded'];

/** Lets every viewer leave and every attempt end. */
async function windDown({ world, viewers }: Model): Promise<void> {
  for (const viewer of viewers) viewer.leaves();
  for (let round = 0; round < 20; round++) {
    await world.settle();
    for (const pending of world.pending()) pending.fails('proxmox_timeout');
    world.clock.advance(30_000);
  }
  await world.settle();
}

test('whatever happens, each viewer has one answer, and nothing is left of a machine without viewers', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(commands, async (steps) => {
      const model: Model = { world: createSharingWorld({ relays }), viewers: [] };
      const { world, viewers } = model;
      for (const { event, pick } of steps) {
        await events[event]?.(model, pick);
        for (const viewer of viewers) seen.add(viewer.state());
        for (const { notices } of viewers) for (const notice of notices) seen.add(notice);
      }
      await world.settle();
      for (const viewer of viewers) {
        const state = viewer.state();
        expect(open.includes(state) || /^[a-z_]+$/.test(state)).toBe(true);
        expect(state).not.toBe('internal');
      }
      await windDown(model);
      expect({
        consoles: world.openConsoles().length,
        screens: world.openScreens(),
        records: world.records(),
        dials: world.pending().length,
        timers: world.clock.pending(),
      }).toEqual({ consoles: 0, screens: 0, records: [], dials: 0, timers: 0 });
      for (const way of ['pass_through', 'shared', 'forwarded'])
        expect(await world.metric(`porthole_relay_screen_sessions{way="${way}"}`)).toBe('0');
    }),
    { numRuns: 300 },
  );
  // What the property has reached, so that it does not hold because nothing happens.
  const interesting = ['shared', 'forwarded', 'screen_shared', 'reconnecting', 'live', 'machine_stopped'];
  expect(interesting.filter((state) => !seen.has(state))).toEqual([]);
});

test('viewers that stay, of a machine whose dials and pictures succeed, all have a picture from one console per relay', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.constantFrom('arrives', 'settle', 'opened', 'sends'), { maxLength: 30 }),
      async (arrivals, order) => {
        const world = createSharingWorld({ relays: 3 });
        const viewers: WorldViewer[] = [];
        const waiting = [...arrivals];
        const arrive = () => {
          const relay = waiting.shift();
          if (relay !== undefined) viewers.push(world.connect(relay));
        };
        const step: Readonly<Record<string, () => unknown>> = {
          arrives: arrive,
          settle: () => world.settle(),
          opened: () => world.pending()[0]?.succeeds(),
          sends: () => world.openConsoles().forEach((console) => console.sends('picture')),
        };
        for (const name of order) await step[name]?.();
        while (waiting.length > 0) arrive();
        for (let round = 0; round < 10; round++) {
          await world.settle();
          for (const pending of world.pending()) pending.succeeds();
          await world.settle();
          for (const console of world.openConsoles()) console.sends('picture');
          world.clock.advance(100);
        }
        // The first viewer's session resumes, which the test does not do.
        const moved = viewers.filter((viewer) => viewer.state() === 'screen_shared').length;
        expect(moved).toBeLessThanOrEqual(1);
        const attached = viewers.filter((viewer) =>
          ['pass_through', 'shared', 'forwarded'].includes(viewer.state()),
        );
        expect(attached.length + moved).toBe(viewers.length);
        expect([world.dials.length, world.openConsoles().length]).toEqual([1, 1]);
      },
    ),
    { numRuns: 200 },
  );
});
