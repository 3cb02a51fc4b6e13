import { PortholeError } from '@porthole/shared/errors';
import { healDelay } from '@porthole/relay/sharing/heal-screen';
import type { MemoryConsole } from './memory-screen.ts';
import { createSharingWorld, type SharingWorld, type WorldViewer } from './sharing-world.ts';

/** A shared screen with a viewer here and one at another relay. */
async function openShared(): Promise<{
  world: SharingWorld;
  machine: MemoryConsole;
  viewers: readonly WorldViewer[];
}> {
  const world = createSharingWorld({ relays: 2 });
  world.connect(0);
  await world.settle();
  const machine = world.pending()[0]?.succeeds();
  await world.settle();
  const viewers = [world.connect(0), world.connect(1)];
  await world.settle();
  machine?.sends('picture');
  await world.settle();
  expect(viewers.map((viewer) => viewer.state())).toEqual(['shared', 'forwarded']);
  if (!machine) throw new Error('no console was opened');
  return { world, machine, viewers };
}

const pass = async (world: SharingWorld, ms: number) => {
  world.clock.advance(ms);
  await world.settle();
};

/** Answers every attempt with this error until the screen gives up, and returns the seconds that took. */
async function failUntilGivenUp(
  world: SharingWorld,
  viewers: readonly WorldViewer[],
  code: Parameters<ReturnType<SharingWorld['pending']>[number]['fails']>[0],
): Promise<number> {
  const startedAt = world.clock.now();
  while (viewers.some((viewer) => ['shared', 'forwarded'].includes(viewer.state()))) {
    await pass(world, 100);
    world.pending()[0]?.fails(code);
    await world.settle();
    if (world.clock.now() - startedAt > 600_000) throw new Error('the screen does not give up');
  }
  return (world.clock.now() - startedAt) / 1000;
}

describe('a shared screen that loses its console', () => {
  test('keeps its viewers, tells those here and elsewhere, and is live again with a new console', async () => {
    const { world, machine, viewers } = await openShared();
    machine.closes();
    await world.settle();
    expect(viewers.map(({ notices }) => notices)).toEqual([['reconnecting'], ['reconnecting']]);
    expect(world.pending()).toEqual([]);
    await pass(world, 500);
    const next = world.pending()[0]?.succeeds();
    await world.settle();
    next?.sends('new picture');
    await world.settle();
    expect(viewers.map((viewer) => [viewer.state(), viewer.notices])).toEqual([
      ['shared', ['reconnecting', 'live']],
      ['forwarded', ['reconnecting', 'live']],
    ]);
    next?.sends('!');
    expect(viewers.every(({ received }) => received.endsWith('!'))).toBe(true);
    expect(await world.metric('porthole_relay_screen_heals_total{result="ok"}')).toBe('1');
    expect(await world.metric('porthole_relay_screen_heal_duration_seconds_sum')).toBe('0.5');
  });

  test('tells a viewer that arrives meanwhile, and gives it the last picture', async () => {
    const { world, machine } = await openShared();
    machine.closes();
    await world.settle();
    const late = world.connect(0);
    await world.settle();
    expect([late.state(), late.notices]).toEqual(['shared', ['reconnecting']]);
  });

  test('waits longer before each attempt', () => {
    expect([0, 1, 2, 3, 4, 5].map(healDelay)).toEqual([500, 1000, 2000, 4000, 5000, 5000]);
  });

  test('waits for a machine that is turned off and on again', async () => {
    const { world, machine, viewers } = await openShared();
    machine.closes();
    await world.settle();
    await pass(world, 500);
    world.pending()[0]?.fails('machine_stopped');
    await world.settle();
    await pass(world, 1000);
    world.pending()[0]?.fails('machine_stopped');
    await world.settle();
    await pass(world, 2000);
    const next = world.pending()[0]?.succeeds();
    await world.settle();
    next?.sends('boot');
    await world.settle();
    expect(viewers.map(({ notices }) => notices.at(-1))).toEqual(['live', 'live']);
  });

  test('ends its viewers like today when a machine stays off', async () => {
    const { world, machine, viewers } = await openShared();
    machine.closes();
    await world.settle();
    const seconds = await failUntilGivenUp(world, viewers, 'machine_stopped');
    expect(viewers.map((viewer) => viewer.state())).toEqual(['machine_ended', 'machine_ended']);
    expect(seconds).toBeGreaterThan(110);
    expect(seconds).toBeLessThanOrEqual(120);
    expect(await world.metric('porthole_relay_screen_heals_total{result="failed"}')).toBe('1');
  });

  test('ends them as lost when Proxmox stays away', async () => {
    const { world, machine, viewers } = await openShared();
    machine.closes(new PortholeError('console_lost'));
    await world.settle();
    await failUntilGivenUp(world, viewers, 'proxmox_unreachable');
    expect(viewers.map((viewer) => viewer.state())).toEqual(['console_lost', 'console_lost']);
    await pass(world, 20_000);
    expect([world.records(), world.openScreens(), world.clock.pending()]).toEqual([[], 0, 0]);
  });

  test.each([
    'machine_not_found',
    'proxmox_permission',
    'no_display',
    'terminal_only',
    'proxmox_tls',
  ] as const)('ends them at once with %s, which no attempt changes', async (code) => {
    const { world, machine, viewers } = await openShared();
    machine.closes();
    await world.settle();
    await pass(world, 500);
    world.pending()[0]?.fails(code);
    await world.settle();
    expect(viewers.map((viewer) => viewer.state())).toEqual([code, code]);
  });

  test('gives up in time if each console breaks as soon as it is open', async () => {
    const { world, machine, viewers } = await openShared();
    machine.closes();
    await world.settle();
    let opened = 0;
    for (let ms = 0; ms < 300_000 && viewers[0]?.state() === 'shared'; ms += 100) {
      await pass(world, 100);
      const next = world.pending()[0]?.succeeds();
      if (!next) continue;
      opened++;
      await world.settle();
      next.sends('picture');
      await world.settle();
      next.closes();
      await world.settle();
    }
    expect(viewers.map((viewer) => viewer.state())).toEqual(['console_lost', 'console_lost']);
    expect(opened).toBeLessThan(40);
  });

  test('stops when its last viewer has left, also in the middle of an attempt', async () => {
    const { world, machine, viewers } = await openShared();
    machine.closes();
    await world.settle();
    await pass(world, 500);
    expect(world.pending()).toHaveLength(1);
    for (const viewer of viewers) viewer.leaves();
    await world.settle();
    await pass(world, 10_000);
    expect([world.pending(), world.records(), world.openScreens(), world.clock.pending()]).toEqual([
      [],
      [],
      0,
      0,
    ]);
  });
});
