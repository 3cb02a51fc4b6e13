import { closeCodes, type CloseName } from '@porthole/shared/protocol/close-codes';
import { openWorld, type World } from './connection-world.ts';

describe('a resume token', () => {
  const token = (letter: string) => letter.repeat(43);
  const offered = (world: World) => world.sockets.at(-1)?.grant.protocols.at(-1);

  /** An open console that has received these tokens. */
  async function openWith(...tokens: string[]): Promise<World> {
    const world = await openWorld();
    for (const each of tokens) world.sockets[0]?.events.onControlMessage({ type: 'resume', token: each });
    return world;
  }

  test.each([closeCodes.moving.code, 1006])(
    '%s: reconnects at once with the newest token, without the broker',
    async (code) => {
      const world = await openWith(token('a'), token('b'));
      await world.close(code);
      expect(world.grantRequests).toBe(1);
      expect(offered(world)).toBe(`porthole.grant.${token('b')}`);
      expect(world.view()).toMatchObject({ state: 'connecting', interruption: 'brief', supportId: 's1' });
      await world.toFirstFrame();
      expect(world.view()).toMatchObject({ state: 'open', interruption: 'none', supportId: 's1' });
    },
  );

  test('lets a request for help that was made during the interruption reach the new connection, once', async () => {
    const world = await openWith(token('a'));
    await world.close(1006);
    world.connection.setHelp(true, 'My disk is full');
    world.connection.setHelp(true, 'Solved: how do I save?');
    await world.toFirstFrame();
    await world.close(1006);
    await world.toFirstFrame();
    expect(world.sockets.map(({ sent }) => sent)).toEqual([
      [],
      [{ type: 'help', raised: true, text: 'Solved: how do I save?' }],
      [],
    ]);
  });

  test('of the new connection is used the next time', async () => {
    const world = await openWith(token('a'));
    await world.close(1006);
    await world.toFirstFrame();
    world.sockets.at(-1)?.events.onControlMessage({ type: 'resume', token: token('b') });
    await world.close(1006);
    expect(offered(world)).toBe(`porthole.grant.${token('b')}`);
  });

  test('is kept while no relay answers', async () => {
    const world = await openWith(token('a'));
    await world.close(1006);
    await world.close(1006);
    expect(world.view()).toMatchObject({ state: 'retrying', retryAt: world.clock.now() + 1000 });
    await world.advance(1000);
    expect(offered(world)).toBe(`porthole.grant.${token('a')}`);
    expect(world.grantRequests).toBe(1);
  });

  test('is used by "Try now"', async () => {
    const world = await openWith(token('a'));
    await world.close(1006);
    await world.close(1006);
    world.connection.open();
    expect(offered(world)).toBe(`porthole.grant.${token('a')}`);
  });

  test('that is refused leads to a new grant, which is renewed once', async () => {
    const world = await openWith(token('a'));
    await world.close(1006);
    await world.close(closeCodes.grant.code);
    expect(world.grantRequests).toBe(2);
    expect(world.view()).toMatchObject({ state: 'connecting', interruption: 'brief', supportId: 's2' });
    await world.close(closeCodes.grant.code);
    expect(world.grantRequests).toBe(3);
    await world.close(closeCodes.grant.code);
    expect(world.view().state).toBe('ended');
  });

  test('is kept while the browser is offline', async () => {
    const world = await openWith(token('a'));
    world.online = false;
    await world.close(1006);
    expect(world.view()).toMatchObject({ state: 'retrying', offline: true });
    world.online = true;
    world.connection.networkChanged();
    expect(offered(world)).toBe(`porthole.grant.${token('a')}`);
  });

  test('is not used when the user reconnects an open console', async () => {
    const world = await openWith(token('a'));
    world.connection.open();
    await world.settle();
    expect(world.grantRequests).toBe(2);
    expect(offered(world)).toBe('porthole.grant.x');
  });

  test.each(
    (Object.keys(closeCodes) as CloseName[]).filter((name) => closeCodes[name].pageAction !== 'reconnect'),
  )('is dropped when the console ends: %s', async (name) => {
    const world = await openWith(token('a'));
    await world.close(closeCodes[name].code);
    world.connection.open();
    await world.settle();
    const offers = world.sockets.flatMap(({ grant }) => grant.protocols);
    expect(offers).not.toContain(`porthole.grant.${token('a')}`);
  });
});

describe('a new grant', () => {
  test('returns to the session that was open last, also if the next one does not open', async () => {
    const world = await openWorld();
    await world.close(closeCodes.timeout.code);
    await world.advance(1000);
    await world.close(closeCodes.timeout.code);
    await world.advance(2000);
    await world.toFirstFrame();
    expect(world.reopened).toEqual([undefined, 's1', 's1']);
    await world.close(closeCodes.timeout.code);
    await world.advance(4000);
    expect(world.reopened.at(-1)).toBe('s3');
  });
});
