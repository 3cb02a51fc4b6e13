import { closeCodes, terminalEndedReason } from '@porthole/shared/protocol/close-codes';
import * as fc from 'fast-check';
import { aGrant, closeNamesWith, createWorld, openWorld, retryAtOf } from './connection-world.ts';

describe('a close code', () => {
  test('ended, for the program of a terminal: the page offers to open it again, and does not by itself', async () => {
    const world = await openWorld();
    await world.close(closeCodes.ended.code, terminalEndedReason);
    await world.advance(3_600_000);
    expect(world.view()).toMatchObject({
      state: 'ended',
      offer: 'reopen',
      message: { title: terminalEndedReason },
    });
    expect(world.sockets).toHaveLength(1);
  });

  test.each(closeNamesWith('reconnect'))('%s: reconnects at once, and the picture stays', async (name) => {
    const world = await openWorld();
    await world.close(closeCodes[name].code);
    expect(world.sockets).toHaveLength(2);
    expect(world.view()).toMatchObject({ state: 'connecting', interruption: 'brief' });
    await world.toFirstFrame();
    expect(world.view()).toMatchObject({ state: 'open', interruption: 'none' });
  });

  test('relays that send the page away again and again lead to a back-off', async () => {
    const world = await openWorld();
    for (let round = 0; round < 3; round += 1) await world.close(closeCodes.moving.code);
    expect(world.view().state).toBe('connecting');
    await world.close(closeCodes.moving.code);
    expect(world.view().state).toBe('retrying');
  });

  test.each([...closeNamesWith('retry'), 'lost' as const])(
    '%s: tries again with growing pauses',
    async (name) => {
      const code = name === 'lost' ? 1006 : closeCodes[name].code;
      const world = await openWorld();
      const pauses: number[] = [];
      for (let round = 0; round < 7; round += 1) {
        await world.close(code);
        const pause = retryAtOf(world.view()) - world.clock.now();
        pauses.push(pause);
        await world.advance(pause - 1);
        expect(world.view().state).toBe('retrying');
        await world.advance(1);
        expect(world.view().state).toBe('connecting');
      }
      expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    },
  );

  test.each(closeNamesWith('new-grant-once'))('%s: requests one new grant, then ends', async (name) => {
    const world = await openWorld();
    await world.close(closeCodes[name].code);
    expect(world.grantRequests).toBe(2);
    expect(world.view().state).toBe('connecting');
    await world.close(closeCodes[name].code);
    expect(world.grantRequests).toBe(2);
    expect(world.view()).toMatchObject({ state: 'ended', message: { title: closeCodes[name].text } });
  });

  test.each(closeNamesWith('wait-for-machine'))(
    '%s: polls the machine and reopens when it runs',
    async (name) => {
      const world = await openWorld();
      await world.close(closeCodes[name].code);
      expect(world.view().state).toBe('machine-off');
      await world.advance(3000);
      await world.advance(3000);
      expect(world.polls).toBe(2);
      expect(world.view().state).toBe('machine-off');
      world.status = { ok: true, value: 'running' };
      await world.advance(3000);
      await world.toFirstFrame();
      expect(world.view().state).toBe('open');
    },
  );

  test.each(closeNamesWith('offer-reopen'))('%s: ends and can be reopened', async (name) => {
    const world = await openWorld();
    await world.close(closeCodes[name].code);
    expect(world.view()).toMatchObject({
      state: 'ended',
      offer: 'reopen',
      message: { title: closeCodes[name].text },
    });
    await world.advance(600_000);
    expect(world.grantRequests).toBe(1);
    world.connection.open();
    await world.toFirstFrame();
    expect(world.view().state).toBe('open');
  });

  test.each(closeNamesWith('offer-terminal'))('%s: ends and leads to the terminal', async (name) => {
    const world = createWorld();
    world.answers.push({ ok: true, value: { ...aGrant('s1'), allow: ['control', 'terminal'] } });
    world.connection.open();
    await world.settle();
    await world.close(closeCodes[name].code);
    expect(world.view()).toMatchObject({
      state: 'ended',
      offer: 'terminal',
      message: { title: closeCodes[name].text },
    });
    await world.advance(600_000);
    expect(world.grantRequests).toBe(1);
  });

  test.each(closeNamesWith('offer-terminal'))(
    '%s: leads back to the list if the user may not open terminals',
    async (name) => {
      const world = await openWorld();
      await world.close(closeCodes[name].code);
      expect(world.view()).toMatchObject({
        state: 'ended',
        offer: 'list',
        message: { title: closeCodes[name].text, advice: expect.stringContaining('ask your instructor') },
      });
    },
  );

  test.each(closeNamesWith('show-message'))('%s: ends and leads back to the list', async (name) => {
    const world = await openWorld();
    await world.close(closeCodes[name].code);
    expect(world.view()).toMatchObject({ state: 'ended', offer: 'list', supportId: 's1' });
    await world.advance(600_000);
    expect(world.grantRequests).toBe(1);
    expect(world.clock.pending()).toBe(0);
  });
});

test("the relay's own sentence replaces the table's", async () => {
  const world = await openWorld();
  await world.close(closeCodes.ended_by_operator.code, 'Ended by Ms Hopper');
  expect(world.view()).toMatchObject({ message: { title: 'Ended by Ms Hopper.' } });
});

test('no message shows the number of a close code', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1000, max: 4999 }), async (code) => {
      const world = await openWorld();
      await world.close(code);
      const view = world.view();
      if ('message' in view) expect(`${view.message.title} ${view.message.advice}`).not.toMatch(/\d{4}/);
    }),
  );
});
