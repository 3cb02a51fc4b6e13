import type { TerminationCause } from '@porthole/shared/session/signals';
import type { TerminationSubject } from '@porthole/shared/session/termination-orders';
import type { PortholeError } from '@porthole/shared/errors';
import {
  createTerminationWatcher,
  type TerminableSession,
} from '@porthole/relay/session/termination-watcher';
import { createFakeClock } from '../../fakes/clock.ts';
import { aGrant } from '../rig.ts';

/** Starts a watcher for so many sessions, of which the first has no grant yet. */
function startWatcher(count: number) {
  const clock = createFakeClock();
  const ended: string[] = [];
  const state = {
    clock,
    ended,
    revision: undefined as string | undefined,
    orders: new Map<string, TerminationCause>(),
    revisionRequests: 0,
    orderRequests: 0,
    storeUnavailable: false,
    async advance(ms: number) {
      for (let left = ms; left > 0; left -= 1000) {
        clock.advance(1000);
        for (let turn = 0; turn < 100; turn++) await Promise.resolve();
      }
    },
  };
  const sessions: TerminableSession[] = Array.from({ length: count }, (_, i) => ({
    claims: i === 0 ? undefined : aGrant(clock, { sessionId: `s${i}` }),
    end: (error: PortholeError) => void ended.push(`s${i} ${error.code}`),
  }));
  const stop = createTerminationWatcher({
    clock,
    sessions: () => sessions,
    terminations: {
      async revision() {
        state.revisionRequests++;
        if (state.storeUnavailable) throw new Error('unavailable');
        return state.revision;
      },
      async findFor({ sessionId }: TerminationSubject) {
        state.orderRequests++;
        const cause = state.orders.get(sessionId);
        return cause && { cause };
      },
    },
  }).start();
  return Object.assign(state, { stop });
}

test('without a new order, the watcher sends one request every two seconds, for any number of sessions', async () => {
  const watcher = startWatcher(500);
  await watcher.advance(60_000);
  expect(watcher.revisionRequests).toBe(30);
  expect(watcher.orderRequests).toBe(0);
});

test('after a new order, the watcher checks every session once, and ends those that it applies to', async () => {
  const watcher = startWatcher(120);
  watcher.orders.set('s7', 'ended_by_operator').set('s119', 'signed_out');
  watcher.revision = 'one';
  await watcher.advance(2000);
  expect(watcher.ended.toSorted()).toEqual(['s119 signed_out', 's7 ended_by_operator']);
  expect(watcher.orderRequests).toBe(119);
  await watcher.advance(10_000);
  expect(watcher.orderRequests).toBe(119);
});

test('while the store is unavailable, no session ends; orders are found when it is back', async () => {
  const watcher = startWatcher(3);
  watcher.storeUnavailable = true;
  watcher.revision = 'one';
  watcher.orders.set('s1', 'ended_by_operator');
  await watcher.advance(10_000);
  expect(watcher.ended).toEqual([]);
  watcher.storeUnavailable = false;
  await watcher.advance(2000);
  expect(watcher.ended).toEqual(['s1 ended_by_operator']);
  watcher.stop();
  expect(watcher.clock.pending()).toBe(0);
});
