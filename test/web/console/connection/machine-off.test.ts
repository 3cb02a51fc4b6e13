import { closeCodes } from '@porthole/shared/protocol/close-codes';
import { openWorld } from './connection-world.ts';

test('a hidden page does not poll a machine that is off', async () => {
  const world = await openWorld();
  await world.close(closeCodes.not_running.code);
  world.visible = false;
  await world.advance(60_000);
  expect(world.polls).toBe(0);
  world.visible = true;
  world.status = { ok: true, value: 'running' };
  world.connection.visibilityChanged();
  await world.settle();
  expect(world.view().state).toBe('connecting');
});

test('a machine that runs only in an old list is polled less and less often', async () => {
  const world = await openWorld();
  await world.close(closeCodes.ended.code);
  world.status = { ok: true, value: 'running' };
  const before = world.clock.now();
  for (let round = 0; round < 5; round += 1) {
    while (world.view().state === 'machine-off') await world.advance(500);
    await world.close(closeCodes.not_running.code);
  }
  expect(world.clock.now() - before).toBeGreaterThanOrEqual(3000 + 6000 + 12_000 + 24_000 + 24_000);
});

test('a machine that is missing from three lists ends the wait', async () => {
  const world = await openWorld();
  await world.close(closeCodes.ended.code);
  world.status = { ok: true, value: undefined };
  for (let round = 0; round < 3; round += 1) await world.advance(3000);
  expect(world.view()).toMatchObject({ state: 'ended', offer: 'list' });
});
