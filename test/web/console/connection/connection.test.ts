import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import * as fc from 'fast-check';
import type { Answer, Grant, Problem } from '../../../../services/broker/web/src/api.ts';
import type { ConsoleSocketEvents } from '../../../../services/broker/web/src/console/connection/connection.ts';
import { mostUrgent, noNotices } from '../../../../services/broker/web/src/console/notices/notices.ts';
import { createWorld, openWorld, retryAtOf } from './connection-world.ts';

test('shows each step until the first frame', async () => {
  const world = createWorld();
  world.connection.open();
  await world.settle();
  const events = world.sockets[0]?.events as ConsoleSocketEvents;
  events.onOpen();
  const messages: ControlMessage[] = [
    { type: 'queued', position: 2 },
    { type: 'queued', position: 1 },
    { type: 'opening', step: 'status' },
    { type: 'opening', step: 'authenticate' },
    { type: 'opened', mode: 'view' },
  ];
  for (const message of messages) events.onControlMessage(message);
  events.onFirstFrame();
  expect(world.views.map((view) => view.state)).toEqual([
    'requesting',
    'connecting',
    'opening',
    'queued',
    'queued',
    'opening',
    'opening',
    'awaiting-frame',
    'open',
  ]);
  expect(world.view()).toMatchObject({ mode: 'view', supportId: 's1', machine: { name: 'web-1' } });
});

test('a minute with a picture resets the back-off', async () => {
  const world = await openWorld();
  await world.close(1006);
  await world.advance(1000);
  await world.toFirstFrame();
  await world.close(1006);
  expect(world.view()).toMatchObject({ retryAt: world.clock.now() + 2000 });
  await world.advance(2000);
  await world.toFirstFrame();
  await world.advance(60_000);
  await world.close(1006);
  expect(world.view()).toMatchObject({ retryAt: world.clock.now() + 1000 });
});

test('the back-off varies by up to a quarter', async () => {
  await fc.assert(
    fc.asyncProperty(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), async (random) => {
      const world = await openWorld(() => random);
      await world.close(1006);
      const pause = retryAtOf(world.view()) - world.clock.now();
      expect(pause).toBeGreaterThanOrEqual(750);
      expect(pause).toBeLessThanOrEqual(1250);
    }),
  );
});

test('gives up a relay that never answers, and tries again', async () => {
  const world = createWorld();
  world.connection.open();
  await world.settle();
  await world.advance(20_000);
  expect(world.view().state).toBe('retrying');
  expect(world.sockets[0]?.open).toBe(false);
});

test('offline, waits for the network and opens as soon as it is back', async () => {
  const world = await openWorld();
  world.online = false;
  await world.close(1006);
  expect(world.view()).toMatchObject({ state: 'retrying', offline: true });
  world.online = true;
  world.connection.networkChanged();
  await world.toFirstFrame();
  expect(world.view().state).toBe('open');
});

describe('a notice', () => {
  test('is shown until the relay takes it back', async () => {
    const world = await openWorld();
    const receive = (message: ControlMessage) => world.sockets.at(-1)?.events.onControlMessage(message);
    const endsAt = world.clock.now() + 60_000;
    receive({ type: 'notice', notice: 'idle', seconds: 60, extend: true });
    expect(world.view().notices).toEqual({ idle: { endsAt, extend: true }, time: undefined });
    receive({ type: 'notice', notice: 'time', seconds: 300, extend: false });
    expect(mostUrgent(world.view().notices)).toEqual({ notice: 'idle', endsAt, extend: true });
    receive({ type: 'notice_over', notice: 'idle' });
    expect(mostUrgent(world.view().notices)).toMatchObject({ notice: 'time', extend: false });
    receive({ type: 'notice_over', notice: 'time' });
    expect(mostUrgent(world.view().notices)).toBeUndefined();
  });

  test('is answered with one message', async () => {
    const world = await openWorld();
    world.connection.extend();
    expect(world.sockets[0]?.sent).toEqual([{ type: 'extend' }]);
  });

  test('disappears with the connection that sent it', async () => {
    const world = await openWorld();
    world.sockets[0]?.events.onControlMessage({ type: 'notice', notice: 'idle', seconds: 60, extend: true });
    await world.close(1006);
    await world.advance(1000);
    await world.toFirstFrame();
    expect(world.view().notices).toEqual(noNotices);
  });

  test('that the relay is about to move the console changes nothing yet', async () => {
    const world = await openWorld();
    const before = world.view();
    world.sockets[0]?.events.onControlMessage({ type: 'moving' });
    expect(world.view()).toEqual(before);
  });
});

describe('a refused grant request', () => {
  const refused = (code: Problem['code'], retryAfter?: number): Answer<Grant> => ({
    ok: false,
    problem: { code, ...(retryAfter ? { retryAfter } : {}) },
  });

  test('not_signed_in: goes to the sign-in page', async () => {
    const world = createWorld();
    world.answers.push(refused('not_signed_in'));
    world.connection.open();
    await world.settle();
    expect(world.signIns).toBe(1);
    expect(world.view()).toMatchObject({ state: 'ended', offer: 'sign-in' });
  });

  test('rate_limited: waits as long as the broker says', async () => {
    const world = createWorld();
    world.answers.push(refused('rate_limited', 17));
    world.connection.open();
    await world.settle();
    expect(world.view()).toMatchObject({ state: 'retrying', retryAt: world.clock.now() + 17_000 });
    await world.advance(17_000);
    expect(world.view().state).toBe('connecting');
  });

  test.each(['machine_not_found', 'not_allowed'] as const)('%s: ends and says why', async (code) => {
    const world = createWorld();
    world.answers.push(refused(code));
    world.connection.open();
    await world.settle();
    expect(world.view()).toMatchObject({ state: 'ended', offer: 'list' });
  });

  test('machine_stopped: waits for the machine', async () => {
    const world = createWorld();
    world.answers.push(refused('machine_stopped'));
    world.connection.open();
    await world.settle();
    expect(world.view().state).toBe('machine-off');
  });

  test.each(['network', 'invalid_response', 'store_unavailable', 'proxmox_unreachable', 'internal'] as const)(
    '%s: tries again',
    async (code) => {
      const world = createWorld();
      world.answers.push(refused(code));
      world.connection.open();
      await world.settle();
      expect(world.view().state).toBe('retrying');
      await world.advance(1000);
      expect(world.view().state).toBe('connecting');
    },
  );
});
