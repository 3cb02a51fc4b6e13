import type { TerminationCause } from '@porthole/shared/session/signals';
import type { TerminationSubject } from '@porthole/shared/session/termination-orders';
import type { PortholeError } from '@porthole/shared/errors';
import {
  createTerminationWatcher,
  type TerminableSession,
} from '@porthole/relay/session/termination-watcher';
import { createFakeClock } from '../../fakes/clock.ts';
import { aGrant } from '../rig.ts';

function watch(count: number) {
  const clock = createFakeClock();
  const ended: string[] = [];
  const world = {
    clock,
    ended,
    stamp: undefined as string | undefined,
    ordered: new Map<string, TerminationCause>(),
    stamps: 0,
    looks: 0,
    away: false,
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= 1000) {
        clock.advance(1000);
        for (let turn = 0; turn < 100; turn++) await Promise.resolve();
      }
    },
  };
  const consoles: TerminableSession[] = Array.from({ length: count }, (_, i) => ({
    claims: i === 0 ? undefined : aGrant(clock, { sessionId: `s${i}` }),
    end: (error: PortholeError) => void ended.push(`s${i} ${error.code}`),
  }));
  const stop = createTerminationWatcher({
    clock,
    sessions: () => consoles,
    terminations: {
      async revision() {
        world.stamps++;
        if (world.away) throw new Error('away');
        return world.stamp;
      },
      async findFor({ sessionId }: TerminationSubject) {
        world.looks++;
        const cause = world.ordered.get(sessionId);
        return cause && { cause };
      },
    },
  }).start();
  return Object.assign(world, { stop });
}

test('without an order it asks one thing every two seconds, however many consoles there are', async () => {
  const world = watch(500);
  await world.pass(60_000);
  expect(world.stamps).toBe(30);
  expect(world.looks).toBe(0);
});

test('after an order it looks at every console once, and ends those that are meant', async () => {
  const world = watch(120);
  world.ordered.set('s7', 'ended_by_operator').set('s119', 'signed_out');
  world.stamp = 'one';
  await world.pass(2000);
  expect(world.ended.toSorted()).toEqual(['s119 signed_out', 's7 ended_by_operator']);
  expect(world.looks).toBe(119);
  await world.pass(10_000);
  expect(world.looks).toBe(119);
});

test('while the store is away nobody is ended, and after it orders are found', async () => {
  const world = watch(3);
  world.away = true;
  world.stamp = 'one';
  world.ordered.set('s1', 'ended_by_operator');
  await world.pass(10_000);
  expect(world.ended).toEqual([]);
  world.away = false;
  await world.pass(2000);
  expect(world.ended).toEqual(['s1 ended_by_operator']);
  world.stop();
  expect(world.clock.pending()).toBe(0);
});
