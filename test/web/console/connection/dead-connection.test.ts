import { closeCodes } from '@porthole/shared/protocol/close-codes';
import { announcement } from '../../../../services/broker/web/src/console/overlay/announcement.ts';
import { openWorld, retryAtOf, type World } from './connection-world.ts';

const token = 'a'.repeat(43);
const offered = (world: World) => world.sockets.at(-1)?.grant.protocols.at(-1);

/** Open, with a resume token, and then without any answer from the relay. */
async function deadWorld(): Promise<World> {
  const world = await openWorld();
  world.sockets[0]?.events.onControlMessage({ type: 'resume', token });
  world.sockets[0]?.events.onDead();
  await world.settle();
  return world;
}

test('reconnects at once with the resume token and says that the connection is lost', async () => {
  const world = await deadWorld();
  expect(world.view()).toMatchObject({ state: 'connecting', interruption: 'lost', closeCode: 1006 });
  expect(announcement(world.view(), 'web-1')).toMatch(/^Connection lost\. Reconnecting…/);
  expect(world.sockets[0]?.open).toBe(false);
  expect(offered(world)).toBe(`porthole.grant.${token}`);
  expect(world.grantRequests).toBe(1);
});

test('stays lost through all attempts, with a growing pause and the same token, until it is open', async () => {
  const world = await deadWorld();
  const pauses: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    // A black hole does not even refuse the connection.
    await world.advance(10_000);
    expect(world.view()).toMatchObject({ state: 'retrying', interruption: 'lost' });
    const pause = retryAtOf(world.view()) - world.clock.now();
    pauses.push(pause);
    await world.advance(pause);
    expect(world.view()).toMatchObject({ state: 'connecting', interruption: 'lost' });
    expect(offered(world)).toBe(`porthole.grant.${token}`);
  }
  expect(pauses).toEqual([1000, 2000, 4000, 8000]);
  await world.toFirstFrame();
  expect(world.view()).toMatchObject({ state: 'open', interruption: 'none', supportId: 's1' });
  expect(world.grantRequests).toBe(1);
});

test('a refused token leads to a new session, and the connection counts as lost until that is open', async () => {
  const world = await deadWorld();
  await world.close(closeCodes.grant.code);
  expect(world.view()).toMatchObject({ state: 'connecting', interruption: 'lost', supportId: 's2' });
  await world.toFirstFrame();
  expect(world.view()).toMatchObject({ state: 'open', interruption: 'none' });
});

test('"Try now" during an attempt starts the next one, with the token', async () => {
  const world = await deadWorld();
  world.connection.open();
  expect(world.sockets).toHaveLength(3);
  expect(offered(world)).toBe(`porthole.grant.${token}`);
  expect(world.view()).toMatchObject({ state: 'connecting', interruption: 'lost' });
});

test('a network that comes back starts an attempt at once', async () => {
  const world = await deadWorld();
  world.online = false;
  await world.advance(10_000);
  expect(world.view()).toMatchObject({ state: 'retrying', interruption: 'lost', offline: true });
  world.online = true;
  world.connection.networkChanged();
  expect(world.view()).toMatchObject({ state: 'connecting', interruption: 'lost' });
  expect(offered(world)).toBe(`porthole.grant.${token}`);
});

test('nothing of the dead socket is used any more', async () => {
  const world = await deadWorld();
  const before = world.view();
  world.sockets[0]?.events.onControlMessage({ type: 'notice', notice: 'idle', seconds: 60, extend: true });
  world.sockets[0]?.events.onClose(closeCodes.time_limit.code, '');
  expect(world.view()).toEqual(before);
  world.connection.extend();
  expect(world.sockets[0]?.sent).toEqual([]);
});

test.each([
  ['becomes visible', (world: World) => world.connection.visibilityChanged()],
  ['is told that the network changed', (world: World) => world.connection.networkChanged()],
])('a page that %s checks its connection', async (_what, change) => {
  const world = await openWorld();
  change(world);
  expect(world.sockets[0]?.checks).toBe(1);
  expect(world.view().state).toBe('open');
});

test('a page that is hidden checks nothing', async () => {
  const world = await openWorld();
  world.visible = false;
  world.connection.visibilityChanged();
  expect(world.sockets[0]?.checks).toBe(0);
});
