import { createLiveSessions } from '@porthole/broker/sessions/live-sessions';
import type { SessionRecord } from '@porthole/shared/session/records';
import { createFakeClock } from '../../fakes/clock.ts';

const session = (sessionId: string) => ({ sessionId, since: 0 }) as SessionRecord;
const ids = (sessions: readonly SessionRecord[]) => sessions.map(({ sessionId }) => sessionId);

function aList() {
  const clock = createFakeClock();
  const reads: ((found: readonly SessionRecord[]) => void)[] = [];
  const live = createLiveSessions({
    clock,
    records: {
      list: () => new Promise((resolve) => reads.push((found) => resolve([...found]))),
      find: async () => undefined,
    },
  });
  return { clock, reads, live };
}

test('concurrent lists share one read, and a later list reads again', async () => {
  const { clock, reads, live } = aList();
  const lists = [live.list(), live.list()];
  expect(reads).toHaveLength(1);
  reads[0]?.([session('a')]);
  expect((await Promise.all(lists)).map(ids)).toEqual([['a'], ['a']]);
  expect(ids(await live.list())).toEqual(['a']);
  clock.advance(1000);
  const later = live.list();
  reads[1]?.([session('b')]);
  expect(ids(await later)).toEqual(['b']);
});

test('a slow read does not replace the sessions of a newer one', async () => {
  const { clock, reads, live } = aList();
  const slow = live.list();
  clock.advance(500);
  const fresh = live.listFresh();
  reads[1]?.([session('new')]);
  expect(ids(await fresh)).toEqual(['new']);
  reads[0]?.([session('old')]);
  expect(ids(await slow)).toEqual(['old']);
  expect(ids(await live.list())).toEqual(['new']);
});

test('a fresh list contains what its own read found', async () => {
  const { reads, live } = aList();
  const [first, second] = [live.listFresh(), live.listFresh()];
  reads[1]?.([session('b')]);
  reads[0]?.([session('a')]);
  expect([ids(await first), ids(await second)]).toEqual([['a'], ['b']]);
});
