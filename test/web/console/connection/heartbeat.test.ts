import {
  startHeartbeat,
  type Heartbeat,
} from '../../../../services/broker/web/src/console/connection/heartbeat.ts';
import { createFakeClock, type FakeClock } from '../../../fakes/clock.ts';

interface World {
  readonly clock: FakeClock;
  readonly heartbeat: Heartbeat;
  /** When pings were sent, in milliseconds since the start. */
  readonly pings: number[];
  /** When the connection was found dead, in milliseconds since the start. */
  readonly deaths: number[];
  readonly page: { visible: boolean; bufferedAmount: number };
  /** Time passes without any timer, as for a suspended computer. */
  suspend(ms: number): void;
}

function start({ visible = true } = {}): World {
  const clock = createFakeClock();
  const page = { visible, bufferedAmount: 0 };
  const pings: number[] = [];
  const deaths: number[] = [];
  let suspended = 0;
  const now = () => clock.now() + suspended;
  const startedAt = now();
  const heartbeat = startHeartbeat({
    clock: { now, after: clock.after },
    visible: () => page.visible,
    bufferedAmount: () => page.bufferedAmount,
    sendPing: () => void pings.push(now() - startedAt),
    onDead: () => void deaths.push(now() - startedAt),
  });
  return { clock, heartbeat, pings, deaths, page, suspend: (ms) => void (suspended += ms) };
}

/** Lets seconds pass. Each second, `each` decides what arrives. */
function pass(world: World, seconds: number, each: (second: number) => void = () => {}): void {
  for (let second = 1; second <= seconds; second += 1) {
    world.clock.advance(1000);
    each(second);
  }
}

test('an idle connection is pinged every 5 seconds', () => {
  const world = start();
  pass(world, 21, (second) => {
    // The pong arrives within the second.
    if (world.pings.at(-1) === second * 1000) world.heartbeat.received();
  });
  expect(world.pings).toEqual([5000, 10_000, 15_000, 20_000]);
  expect(world.deaths).toEqual([]);
});

test('a connection from which data arrives needs no ping', () => {
  const world = start();
  pass(world, 60, () => world.heartbeat.received());
  expect(world.pings).toEqual([]);
});

test('12 seconds of silence with an unanswered ping mean that the connection is dead', () => {
  const world = start();
  pass(world, 30);
  expect(world.pings).toEqual([5000]);
  expect(world.deaths).toEqual([12_000]);
  expect(world.clock.pending()).toBe(0);
});

test('silence counts from the last data, whenever that was', () => {
  for (let last = 0; last <= 20; last += 1) {
    const world = start();
    pass(world, 40, (second) => {
      if (second <= last) world.heartbeat.received();
    });
    expect(world.deaths).toEqual([(last + 12) * 1000]);
  }
});

test('a slow connection is alive: anything that arrives before the pong counts', () => {
  const world = start();
  pass(world, 120, (second) => {
    // One large picture every 11 seconds, and no pong at all.
    if (second % 11 === 0) world.heartbeat.received();
  });
  expect(world.deaths).toEqual([]);
});

test('a send buffer that empties is a sign of life', () => {
  const world = start();
  world.page.bufferedAmount = 3_000_000;
  pass(world, 60, () => {
    world.page.bufferedAmount = Math.max(0, world.page.bufferedAmount - 50_000);
  });
  expect(world.deaths).toEqual([]);
});

test('a send buffer that does not empty is none', () => {
  const world = start();
  pass(world, 30, (second) => {
    world.page.bufferedAmount = 1000 * second;
  });
  expect(world.deaths).toEqual([12_000]);
});

test('a hidden page sends no pings, and its connection is not found dead', () => {
  const world = start({ visible: false });
  pass(world, 300);
  world.page.visible = true;
  world.heartbeat.check();
  pass(world, 2);
  world.heartbeat.received();
  world.page.visible = false;
  pass(world, 300);
  expect(world.pings).toEqual([300_000]);
  expect(world.deaths).toEqual([]);
  expect(world.clock.pending()).toBe(0);
});

test('a page that is hidden while a ping is unanswered starts over when it is visible', () => {
  const world = start();
  pass(world, 6);
  world.page.visible = false;
  pass(world, 60);
  world.page.visible = true;
  world.heartbeat.check();
  expect(world.pings).toEqual([5000, 66_000]);
  pass(world, 10);
  expect(world.deaths).toEqual([71_000]);
});

test('a check takes 5 seconds, also while a ping is unanswered', () => {
  const world = start();
  pass(world, 3);
  world.heartbeat.received();
  pass(world, 5);
  world.heartbeat.check();
  pass(world, 10);
  expect(world.deaths).toEqual([13_000]);
});

test('checks in quick succession send one ping', () => {
  const world = start();
  for (let round = 0; round < 10; round += 1) world.heartbeat.check();
  expect(world.pings).toEqual([0]);
  world.heartbeat.received();
  for (let round = 0; round < 10; round += 1) world.heartbeat.check();
  expect(world.pings).toEqual([0]);
  pass(world, 4, () => world.heartbeat.received());
  expect(world.deaths).toEqual([]);
});

test('never more than 6 pings in 10 seconds, so that the relay accepts them', () => {
  const world = start();
  pass(world, 60, () => {
    for (let round = 0; round < 5; round += 1) world.heartbeat.check();
    world.heartbeat.received();
  });
  for (const from of world.pings)
    expect(world.pings.filter((at) => at >= from && at < from + 10_000).length).toBeLessThanOrEqual(6);
});

test('a page that was suspended asks again instead of trusting the time that passed', () => {
  const world = start();
  pass(world, 6);
  world.suspend(3_600_000);
  // What arrived meanwhile is delivered after the timer.
  pass(world, 1);
  world.heartbeat.received();
  pass(world, 10, () => world.heartbeat.received());
  expect(world.pings).toEqual([5000, 3_607_000]);
  expect(world.deaths).toEqual([]);
});

test('a connection that did not survive the suspension is dead 5 seconds later', () => {
  const world = start();
  pass(world, 6);
  world.suspend(3_600_000);
  pass(world, 7);
  expect(world.deaths).toEqual([3_612_000]);
});

test('a stopped heartbeat leaves no timer and sends nothing', () => {
  const world = start();
  pass(world, 5);
  world.heartbeat.stop();
  expect(world.clock.pending()).toBe(0);
  world.heartbeat.check();
  pass(world, 30);
  expect(world.pings).toEqual([5000]);
  expect(world.deaths).toEqual([]);
});
