import { createRecentEnds } from '@porthole/relay/upstream/recent-ends';
import { createFakeClock } from '../../fakes/clock.ts';

describe('consoles that ended lately', () => {
  test('ended together if they are of one node and ended within a second, in either order', () => {
    const clock = createFakeClock();
    const ends = createRecentEnds(clock);
    const first = ends.record('lab', 'pve1', 0);
    const elsewhere = [ends.record('lab', 'pve2', 0), ends.record('other', 'pve1', 0)];
    expect(first()).toBe(false);
    clock.advance(1000);
    const second = ends.record('lab', 'pve1', 0);
    expect([first(), second()]).toEqual([true, true]);
    expect(elsewhere.map((together) => together())).toEqual([false, false]);
  });

  test('did not end together if one was opened when the other had ended', () => {
    const clock = createFakeClock();
    const ends = createRecentEnds(clock);
    const first = ends.record('lab', 'pve1', 0);
    const openedAt = clock.now();
    clock.advance(500);
    const second = ends.record('lab', 'pve1', openedAt);
    expect([first(), second()]).toEqual([false, false]);
  });

  test('did not end together if more than a second lies between them', () => {
    const clock = createFakeClock();
    const ends = createRecentEnds(clock);
    const first = ends.record('lab', 'pve1', 0);
    clock.advance(1001);
    const second = ends.record('lab', 'pve1', 0);
    expect([first(), second()]).toEqual([false, false]);
  });
});
