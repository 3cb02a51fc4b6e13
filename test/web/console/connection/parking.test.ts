import { closeCodes } from '@porthole/shared/protocol/close-codes';
import { announcement } from '../../../../services/broker/web/src/console/overlay/announcement.ts';
import { openWorld, type World } from './connection-world.ts';

const token = (letter: string) => letter.repeat(43);
const offered = (world: World) => world.sockets.at(-1)?.grant.protocols.at(-1);
const newest = (world: World) => world.sockets.at(-1);
const said = (world: World) => newest(world)?.sent ?? [];
const hidden = { type: 'visibility', hidden: true } as const;
const visible = { type: 'visibility', hidden: false } as const;

function show(world: World, shown: boolean): void {
  world.visible = shown;
  world.connection.visibilityChanged();
}

/** An open console that the relay parks if its page is hidden. */
async function parkable(): Promise<World> {
  const world = await openWorld();
  newest(world)?.events.onControlMessage({ type: 'opened', mode: 'control', parking: true });
  newest(world)?.events.onControlMessage({ type: 'resume', token: token('a') });
  return world;
}

async function parked(): Promise<World> {
  const world = await parkable();
  show(world, false);
  newest(world)?.events.onControlMessage({ type: 'parked' });
  return world;
}

describe('a page', () => {
  test('tells the relay when it is hidden and when it is visible', async () => {
    const world = await parkable();
    show(world, false);
    show(world, true);
    expect(said(world)).toEqual([hidden, visible]);
    expect(world.view().state).toBe('open');
  });

  test('that opens hidden says so as soon as its console is open', async () => {
    const world = await openWorld();
    world.visible = false;
    newest(world)?.events.onControlMessage({ type: 'opened', mode: 'view', parking: true });
    expect(said(world)).toEqual([hidden]);
  });

  test('“the console closed when I changed tabs”: says nothing to an older relay', async () => {
    const world = await openWorld();
    show(world, false);
    show(world, true);
    // The page has resumed at an older relay.
    const resumed = await parkable();
    await resumed.close(closeCodes.moving.code);
    await resumed.toFirstFrame();
    show(resumed, false);
    expect([...said(world), ...said(resumed)]).toEqual([]);
  });

  test('keeps its last picture and its connection while the console is parked', async () => {
    const world = await parked();
    expect(world.view()).toMatchObject({ state: 'parked', interruption: 'parked', supportId: 's1' });
    expect(announcement(world.view(), 'web-1')).toBe('Paused while this tab was hidden.');
    await world.advance(3_600_000);
    expect(world.sockets).toHaveLength(1);
    expect(newest(world)?.open).toBe(true);
    expect(world.grantRequests).toBe(1);
    expect(world.clock.pending()).toBe(0);
  });

  test('that is visible again says so, and resumes with the newest token when the relay closes the connection', async () => {
    const world = await parked();
    show(world, true);
    expect(said(world)).toEqual([hidden, visible]);
    expect(world.sockets).toHaveLength(1);
    newest(world)?.events.onControlMessage({ type: 'resume', token: token('b') });
    await world.close(closeCodes.moving.code);
    expect(offered(world)).toBe(`porthole.grant.${token('b')}`);
    expect(world.view()).toMatchObject({ state: 'connecting', interruption: 'parked', supportId: 's1' });
    await world.toFirstFrame();
    expect(world.view()).toMatchObject({ state: 'open', interruption: 'none', supportId: 's1' });
    expect(world.grantRequests).toBe(1);
  });

  test('whose connection is dead gives it up after a second, and resumes', async () => {
    const world = await parked();
    show(world, true);
    await world.advance(999);
    expect(world.sockets).toHaveLength(1);
    await world.advance(1);
    expect(world.sockets).toHaveLength(2);
    expect(world.sockets[0]).toMatchObject({ open: false, abandoned: true });
    expect(offered(world)).toBe(`porthole.grant.${token('a')}`);
    await world.toFirstFrame();
    expect(world.view().state).toBe('open');
  });

  test('“it reconnected twice”: that is hidden and visible again while it returns resumes once', async () => {
    const world = await parked();
    show(world, true);
    show(world, false);
    show(world, true);
    await world.close(closeCodes.moving.code);
    expect(world.sockets).toHaveLength(2);
    expect(world.clock.pending()).toBe(1);
  });

  test('that was frozen by the browser returns with the newest of the tokens that have arrived meanwhile', async () => {
    const world = await parkable();
    show(world, false);
    // The page learns that it is visible before it reads what has arrived.
    show(world, true);
    expect(world.view().state).toBe('open');
    newest(world)?.events.onControlMessage({ type: 'parked' });
    newest(world)?.events.onControlMessage({ type: 'resume', token: token('b') });
    newest(world)?.events.onControlMessage({ type: 'resume', token: token('c') });
    await world.close(closeCodes.moving.code);
    expect(offered(world)).toBe(`porthole.grant.${token('c')}`);
    await world.toFirstFrame();
    expect(world.view().state).toBe('open');
  });

  test('that was parked and returned often is never told that the service is busy', async () => {
    const world = await parked();
    for (let times = 0; times < 10; times += 1) {
      show(world, true);
      await world.close(closeCodes.moving.code);
      await world.toFirstFrame();
      expect(world.view().state).toBe('open');
      show(world, false);
      newest(world)?.events.onControlMessage({ type: 'parked' });
    }
    expect(world.grantRequests).toBe(1);
  });
});

describe('a hidden page whose console is parked', () => {
  test.each([closeCodes.moving.code, 1006])(
    '“a rollout opened the consoles of all forgotten tabs”: opens no console after %s until it is visible',
    async (code) => {
      const world = await parked();
      await world.close(code);
      expect(world.view()).toMatchObject({ state: 'parked', interruption: 'parked', closeCode: code });
      await world.advance(600_000);
      world.online = false;
      world.connection.networkChanged();
      world.online = true;
      world.connection.networkChanged();
      expect(world.sockets).toHaveLength(1);
      show(world, true);
      expect(world.sockets).toHaveLength(2);
      expect(offered(world)).toBe(`porthole.grant.${token('a')}`);
      expect(world.view()).toMatchObject({ state: 'connecting', interruption: 'parked' });
    },
  );

  test('requests a new grant for the same console if its token has expired meanwhile', async () => {
    const world = await parked();
    await world.close(1006);
    await world.advance(3_600_000);
    show(world, true);
    await world.close(closeCodes.grant.code);
    expect(world.reopened).toEqual([undefined, 's1']);
    expect(world.view()).toMatchObject({ state: 'connecting', interruption: 'parked', supportId: 's2' });
    await world.toFirstFrame();
    expect(world.view().state).toBe('open');
  });

  test.each(['time_limit', 'idle', 'ended_by_operator'] as const)(
    'shows its end at once: %s',
    async (name) => {
      const world = await parked();
      await world.close(closeCodes[name].code);
      expect(world.view()).toMatchObject({ state: 'ended', interruption: 'none' });
      show(world, true);
      expect(world.sockets).toHaveLength(1);
    },
  );

  test('waits for its machine if that was shut down meanwhile', async () => {
    const world = await parked();
    show(world, true);
    await world.close(closeCodes.moving.code);
    await world.close(closeCodes.not_running.code);
    expect(world.view().state).toBe('machine-off');
  });

  test('is resumed by "Reconnect"', async () => {
    const world = await parked();
    world.visible = true;
    world.connection.open();
    await world.close(closeCodes.moving.code);
    expect(offered(world)).toBe(`porthole.grant.${token('a')}`);
    expect(world.grantRequests).toBe(1);
  });

  test('frees its console when it is left', async () => {
    const world = await parked();
    world.connection.stop();
    expect(newest(world)).toMatchObject({ open: false, abandoned: false });
    expect(world.clock.pending()).toBe(0);
  });

  test('takes a late first frame for nothing new', async () => {
    const world = await parked();
    newest(world)?.events.onFirstFrame();
    newest(world)?.events.onControlMessage({ type: 'opened', mode: 'control', parking: true });
    expect(world.view().state).toBe('parked');
  });
});
