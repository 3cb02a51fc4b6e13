import { WallRights } from '../../../services/relay/src/wall/wall-rights.ts';
import { ChangeNotices } from '../../../services/relay/src/wall/change-notices.ts';
import { createFakeClock } from '../../fakes/clock.ts';
import { aSeat, someWall } from './wall-client.ts';

function aWall(sessionSeconds = 3600) {
  const clock = createFakeClock();
  const ends: string[] = [];
  const claims = someWall({ seats: [aSeat(0), aSeat(1)], sessionSeconds });
  const rights = new WallRights({ clock, onEnd: ({ code }) => ends.push(code) }, claims);
  const renewal = (over: Parameters<typeof someWall>[0] = {}) =>
    someWall({ ...claims, renews: true, ...over });
  return { clock, ends, rights, renewal };
}

test('a wall that is not renewed ends after two minutes, whatever its page does', () => {
  const { clock, ends, rights, renewal } = aWall();
  clock.advance(119_000);
  rights.renew(renewal());
  clock.advance(119_000);
  expect(ends).toEqual([]);
  clock.advance(1000);
  expect(ends).toEqual(['grant_invalid']);
});

test('a wall ends at the earliest time that one of its grants had, and no renewal makes that later', () => {
  const { clock, ends, rights, renewal } = aWall(200);
  clock.advance(50_000);
  rights.renew(renewal({ sessionSeconds: 100 }));
  clock.advance(50_000);
  rights.renew(renewal({ sessionSeconds: 3600 }));
  clock.advance(49_000);
  expect(ends).toEqual([]);
  clock.advance(1000);
  expect(ends).toEqual(['time_limit']);
});

test('a renewal takes away the machines that are not in it, and gives those back that are in it again', () => {
  const { rights, renewal } = aWall();
  // The numbers of seats are those of the first grant.
  const second = { ...aSeat(0, 101) };
  expect(rights.renew(renewal({ seats: [second] }))).toEqual([aSeat(0)]);
  expect([rights.mayShow(aSeat(0)), rights.mayShow(aSeat(1))]).toEqual([false, true]);
  expect(rights.renew(renewal({ seats: [second] }))).toEqual([]);
  expect(rights.renew(renewal())).toEqual([]);
  expect(rights.mayShow(aSeat(0))).toBe(true);
});

test.each([
  ['opens a wall', { renews: undefined }],
  ['renews another wall', { sessionId: 'wall-2' }],
  ['belongs to another sign-in', { loginRef: 'login-2' }],
  ['belongs to another user', { user: { id: 'local:olga', name: 'olga' } }],
  ['is for another class', { class: 'other' }],
] as const)('a grant that %s does not renew the wall', (_what, over) => {
  const { rights, renewal } = aWall();
  expect(() => rights.renew(renewal(over))).toThrow(expect.objectContaining({ code: 'grant_invalid' }));
});

test('a wall that has ended leaves no timer', () => {
  const { clock, rights, renewal } = aWall();
  rights.renew(renewal());
  rights.stop();
  expect(clock.pending()).toBe(0);
});

test('of many changes of a class, the page is told the first one at once, and the others twice per second', () => {
  const clock = createFakeClock();
  const toldAt: number[] = [];
  const start = clock.now();
  const notices = new ChangeNotices(clock, () => toldAt.push(clock.now() - start));
  for (let i = 0; i < 100; i++) {
    notices.changed();
    clock.advance(10);
  }
  clock.advance(10_000);
  expect(toldAt).toEqual([0, 500, 1000]);
  notices.changed();
  notices.stop();
  expect(clock.pending()).toBe(0);
});
