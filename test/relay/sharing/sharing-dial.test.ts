import { unshareableMs } from '@porthole/relay/sharing/unshareable-machines';
import { createSharingWorld, type SharingWorld } from './sharing-world.ts';

/** Connects the first viewer of a machine and opens its console. */
async function openFirst(
  world: SharingWorld,
  relay = 0,
  options: Parameters<SharingWorld['connect']>[1] = {},
) {
  const viewer = world.connect(relay, options);
  await world.settle();
  const machine = world.pending()[0]?.succeeds();
  if (!machine) throw new Error('no console was opened');
  await world.settle();
  expect(viewer.state()).toBe('pass_through');
  return { viewer, machine };
}

/** Two viewers at a shared screen. */
async function openShared(world: SharingWorld) {
  const { viewer: first, machine } = await openFirst(world);
  const second = world.connect(0);
  await world.settle();
  machine.sends('picture');
  await world.settle();
  expect([first.state(), second.state()]).toEqual(['screen_shared', 'shared']);
  const resumed = world.connect(0);
  await world.settle();
  expect(resumed.state()).toBe('shared');
  return { machine, viewers: [resumed, second] as const };
}

const lab = () => createSharingWorld();

describe('the first viewer of a machine', () => {
  test('has a console of its own, whose link is not wrapped', async () => {
    const world = lab();
    const { viewer, machine } = await openFirst(world);
    expect(viewer.link).toBe(machine.link);
    machine.sends('bytes');
    viewer.send('input');
    expect([viewer.received, machine.sent]).toEqual(['bytes', 'input']);
    expect(world.records()).toEqual([0]);
    viewer.leaves();
    await world.settle();
    expect(machine.destroyed).toBe(true);
    expect(world.records()).toEqual([]);
    expect(world.clock.pending()).toBe(0);
  });

  test('gets it without an owner record while the store is away', async () => {
    const world = lab();
    world.storeIsAway(true);
    await openFirst(world);
    expect(world.records()).toEqual([]);
    expect(await world.metric('porthole_relay_screen_fallbacks_total{reason="store_unavailable"}')).toBe('1');
  });

  test('that leaves while its console is opened leaves no record', async () => {
    const world = lab();
    const viewer = world.connect(0);
    await world.settle();
    viewer.leaves();
    await world.settle();
    expect([world.records(), world.pending()]).toEqual([[], []]);
  });
});

describe('a second viewer', () => {
  test('takes over the console of the first one, which resumes at the shared screen: one console', async () => {
    const world = lab();
    const { machine, viewers } = await openShared(world);
    machine.sends('!');
    expect(viewers.map(({ received }) => received)).toEqual(['!', '!']);
    viewers[0].send('a');
    viewers[1].send('b');
    expect(machine.sent).toBe('ab');
    expect(world.dials).toHaveLength(1);
    expect(await world.metric('porthole_relay_screen_adoptions_total{result="ok"}')).toBe('1');
    expect(await world.metric('porthole_relay_screen_sessions{way="shared"}')).toBe('2');
    expect(await world.metric('porthole_relay_screen_sessions{way="pass_through"}')).toBe('0');
  });

  test('does not interrupt the first one before a worker thread runs, but does not wait for that for ever', async () => {
    const world = lab();
    const start = world.holdWorkers();
    const { viewer: first, machine } = await openFirst(world);
    const second = world.connect(0);
    await world.settle();
    expect([first.state(), second.state()]).toEqual(['pass_through', 'waiting']);
    start();
    await world.settle();
    expect(first.state()).toBe('screen_shared');
    machine.sends('picture');
    await world.settle();
    expect(second.state()).toBe('shared');

    const other = lab();
    other.holdWorkers();
    const { viewer: alone } = await openFirst(other);
    other.connect(0);
    await other.settle();
    other.clock.advance(3000);
    await other.settle();
    expect(alone.state()).toBe('screen_shared');
  });

  test('that arrives while the first one still opens its console waits for it, and learns how far it is', async () => {
    const world = lab();
    const first = world.connect(0);
    await world.settle();
    const second = world.connect(0);
    await world.settle();
    expect(world.dials).toHaveLength(1);
    const machine = world.pending()[0]?.succeeds();
    await world.settle();
    machine?.sends('picture');
    await world.settle();
    expect([first.state(), second.state()]).toEqual(['screen_shared', 'shared']);
    expect(world.dials).toHaveLength(1);
  });

  test('opens the console itself if the first one leaves before it is open', async () => {
    const world = lab();
    const first = world.connect(0);
    await world.settle();
    const second = world.connect(0);
    await world.settle();
    first.leaves();
    await world.settle();
    expect(world.dials).toHaveLength(2);
    world.pending()[0]?.succeeds().sends('picture');
    await world.settle();
    expect(second.state()).toBe('shared');
  });

  test('of a viewer that can not resume gets a screen with a console of its own, which later viewers share', async () => {
    const world = lab();
    const { viewer: first } = await openFirst(world, 0, { resumable: 'never' });
    const others = [world.connect(0), world.connect(0)];
    await world.settle();
    const pending = world.pending();
    expect(pending).toHaveLength(1);
    pending[0]?.succeeds().sends('picture');
    await world.settle();
    expect([first, ...others].map((viewer) => viewer.state())).toEqual(['pass_through', 'shared', 'shared']);
    expect(await world.metric('porthole_relay_screen_adoptions_total{result="impossible"}')).toBe('1');
  });

  test('of a viewer in the middle of a long message waits for its end, but not for ever', async () => {
    const world = lab();
    const { viewer: first } = await openFirst(world, 0, { resumable: 'later' });
    const second = world.connect(0);
    for (let step = 0; step < 100; step++) {
      await world.settle();
      world.clock.advance(25);
    }
    await world.settle();
    expect([first.state(), second.state(), world.pending().length]).toEqual(['pass_through', 'waiting', 1]);
  });

  test('whose console can not be taken over, because the machine does not answer, has another one opened', async () => {
    const world = lab();
    const { machine } = await openFirst(world);
    const second = world.connect(0);
    await world.settle();
    machine.closes();
    await world.settle();
    world.pending()[0]?.succeeds().sends('picture');
    await world.settle();
    expect(second.state()).toBe('shared');
    expect(await world.metric('porthole_relay_screen_adoptions_total{result="failed"}')).toBe('1');
  });

  test('fails like the first one if the console can not be opened', async () => {
    const world = lab();
    const first = world.connect(0);
    const second = world.connect(0);
    await world.settle();
    world.pending()[0]?.fails('machine_stopped');
    await world.settle();
    world.pending()[0]?.fails('machine_stopped');
    await world.settle();
    expect([first.state(), second.state()]).toEqual(['machine_stopped', 'machine_stopped']);
    expect([world.records(), world.openScreens(), world.clock.pending()]).toEqual([[], 0, 0]);
  });

  test('gets a console of its own if the relay shares as many screens as it may', async () => {
    const world = createSharingWorld({ screens: 0 });
    const { viewer: first } = await openFirst(world);
    const second = world.connect(0);
    await world.settle();
    world.pending()[0]?.succeeds();
    await world.settle();
    expect([first.state(), second.state()]).toEqual(['pass_through', 'pass_through']);
    expect(await world.metric('porthole_relay_screen_fallbacks_total{reason="limit"}')).toBe('1');
  });

  test('gets a console of its own if the machine sends no picture that can be shared', async () => {
    const world = lab();
    const { machine } = await openFirst(world);
    const second = world.connect(0);
    await world.settle();
    machine.closes();
    await world.settle();
    world.pending()[0]?.succeeds().closes();
    await world.settle();
    world.pending()[0]?.succeeds();
    await world.settle();
    expect(second.state()).toBe('pass_through');
    expect(await world.metric('porthole_relay_screen_fallbacks_total{reason="screen_failed"}')).toBe('1');
  });

  test('is not interrupted by each further viewer if its picture can not be shared', async () => {
    const world = lab();
    const { machine } = await openFirst(world);
    world.connect(0);
    await world.settle();
    machine.closes();
    await world.settle();
    world.pending()[0]?.succeeds().closes();
    await world.settle();
    world.pending()[0]?.succeeds();
    const { viewer: again } = await openFirst(world);
    for (let others = 0; others < 3; others++) {
      const other = world.connect(0);
      await world.settle();
      expect(world.pending()).toHaveLength(1);
      world.pending()[0]?.succeeds();
      await world.settle();
      expect([other.state(), again.state()]).toEqual(['pass_through', 'pass_through']);
    }
    world.clock.advance(unshareableMs);
    world.connect(0);
    await world.settle();
    expect(again.state()).toBe('screen_shared');
  });
});

describe('a view-only viewer', () => {
  test('sends nothing to the shared console', async () => {
    const world = lab();
    const { machine } = await openShared(world);
    const observer = world.connect(0, { mode: 'view' });
    await world.settle();
    observer.send('x');
    expect(machine.sent).toBe('');
  });
});

describe('what is not shared', () => {
  test.each([
    ['a terminal', { kind: 'terminal' }],
    ['the shell of a node', { type: 'node', vmid: 1 }],
  ] as const)('%s', async (_, claims) => {
    const world = lab();
    world.connect(0, claims);
    world.connect(0, claims);
    await world.settle();
    expect([world.dials.length, world.records()]).toEqual([2, []]);
  });

  test('the console of a container is not taken over, but shared from the third viewer on', async () => {
    const world = lab();
    const first = await openFirst(world, 0, { type: 'lxc' });
    const others = [world.connect(0, { type: 'lxc' }), world.connect(0, { type: 'lxc' })];
    await world.settle();
    world.pending()[0]?.succeeds().sends('picture');
    await world.settle();
    expect([first.viewer, ...others].map((viewer) => viewer.state())).toEqual([
      'pass_through',
      'shared',
      'shared',
    ]);
  });
});

describe('a screen whose viewers have left', () => {
  test('is kept for ten seconds, for viewers that reload, then closed', async () => {
    const world = lab();
    const { machine, viewers } = await openShared(world);
    for (const viewer of viewers) viewer.leaves();
    await world.settle();
    world.clock.advance(9999);
    await world.settle();
    const again = world.connect(0);
    await world.settle();
    expect([again.state(), world.dials.length]).toEqual(['shared', 1]);
    again.leaves();
    await world.settle();
    world.clock.advance(10_000);
    await world.settle();
    expect(machine.destroyed).toBe(true);
    expect([world.records(), world.openScreens(), world.clock.pending()]).toEqual([[], 0, 0]);
  });
});

describe('viewers at several relays', () => {
  test('share one console: the others are forwarded to the relay that has it', async () => {
    const world = createSharingWorld({ relays: 3 });
    const { machine } = await openFirst(world);
    const others = Array.from({ length: 9 }, (_, i) => world.connect(i % 3));
    await world.settle();
    machine.sends('picture');
    await world.settle();
    expect(others.map((viewer) => viewer.state())).toEqual(
      others.map(({ relay }) => (relay === 0 ? 'shared' : 'forwarded')),
    );
    expect([world.dials.length, world.openConsoles().length, world.records()]).toEqual([1, 1, [0]]);
  });

  test('that arrive at the same moment share one console, too', async () => {
    const world = createSharingWorld({ relays: 3 });
    const viewers = [0, 1, 2].map((relay) => world.connect(relay));
    await world.settle();
    expect(world.dials).toHaveLength(1);
    const machine = world.pending()[0]?.succeeds();
    await world.settle();
    machine?.sends('picture');
    await world.settle();
    expect(viewers.filter((viewer) => viewer.state() === 'forwarded')).toHaveLength(2);
    expect(world.dials).toHaveLength(1);
  });

  test.each(Array.from({ length: 12 }, (_, turns) => turns))(
    'share one console after its relay has died, if they come back %d turns after each other',
    async (turns) => {
      const world = createSharingWorld({ relays: 2 });
      await openFirst(world);
      world.dies(0);
      const viewers = [];
      for (let i = 0; i < 4; i++) {
        viewers.push(world.connect(1));
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      }
      await world.settle();
      const dials = world.pending();
      expect(dials).toHaveLength(1);
      const machine = dials[0]?.succeeds();
      await world.settle();
      machine?.sends('picture');
      await world.settle();
      expect(world.pending()).toEqual([]);
      expect(viewers.map((viewer) => viewer.state()).toSorted()).toEqual([
        'screen_shared',
        'shared',
        'shared',
        'shared',
      ]);
    },
  );

  test('take over the machine of a relay that does not answer: the first one opens the console, the others join it', async () => {
    const world = createSharingWorld({ relays: 3 });
    await openFirst(world);
    world.dies(0);
    const viewers = [world.connect(1), world.connect(2), world.connect(1)];
    await world.settle();
    expect(world.pending().map(({ relay }) => relay)).toEqual([1]);
    const machine = world.pending()[0]?.succeeds();
    await world.settle();
    machine?.sends('picture');
    await world.settle();
    expect(viewers.map((viewer) => viewer.state())).toEqual(['screen_shared', 'forwarded', 'shared']);
    expect(world.logged.some((line) => line.includes('another relay has taken over'))).toBe(true);
    expect(world.records()).toEqual([1]);
  });

  test('of a relay that did not answer for a moment move to the one that took their machine over: one console', async () => {
    const world = createSharingWorld({ relays: 2 });
    const { viewer: first, machine } = await openFirst(world);
    world.dies(0);
    const other = world.connect(1);
    await world.settle();
    expect(world.records()).toEqual([1]);
    const next = world.pending()[0]?.succeeds();
    await world.settle();
    next?.sends('picture');
    await world.settle();
    expect([first.state(), other.state()]).toEqual(['screen_shared', 'screen_shared']);
    const resumed = [world.connect(0), world.connect(1)];
    await world.settle();
    expect(resumed.map((viewer) => viewer.state())).toEqual(['forwarded', 'shared']);
    expect([machine.destroyed, world.openConsoles().length]).toEqual([true, 1]);
  });

  test('stay where they are if the relay that took their machine over can not be reached either', async () => {
    const world = createSharingWorld({ relays: 2 });
    const { viewer: first, machine } = await openFirst(world);
    world.dies(0);
    world.dies(1);
    const other = world.connect(1);
    await world.settle();
    world.pending()[0]?.succeeds();
    await world.settle();
    expect([first.state(), other.state()]).toEqual(['pass_through', 'pass_through']);
    expect(machine.destroyed).toBe(false);
  });

  test('have a console per relay if relays can not reach each other, and share it there', async () => {
    const world = createSharingWorld({ relays: 2, addresses: false });
    await openFirst(world);
    const { machine } = await openFirst(world, 1);
    const third = world.connect(1);
    await world.settle();
    machine.sends('picture');
    await world.settle();
    expect([third.state(), world.dials.length]).toEqual(['shared', 2]);
    expect(await world.metric('porthole_relay_screen_fallbacks_total{reason="no_address"}')).toBe('1');
  });

  test('move when the owner drains, and the first one that comes becomes the new owner', async () => {
    const world = createSharingWorld({ relays: 2 });
    const { machine } = await openFirst(world);
    const remote = world.connect(1);
    await world.settle();
    machine.sends('picture');
    await world.settle();
    expect(remote.state()).toBe('forwarded');
    world.drains(0);
    await world.settle();
    expect(remote.state()).toBe('screen_moved');
    const resumed = world.connect(1);
    await world.settle();
    world.pending()[0]?.succeeds();
    await world.settle();
    expect(resumed.state()).toBe('pass_through');
    expect(world.records()).toEqual([1]);
    await world.relays[0]?.stop();
    expect(machine.destroyed).toBe(true);
    expect(world.records()).toEqual([1]);
  });
});
