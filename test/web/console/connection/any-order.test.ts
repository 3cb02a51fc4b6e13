import { closeCodes } from '@porthole/shared/protocol/close-codes';
import * as fc from 'fast-check';
import { createWorld } from './connection-world.ts';

test('events in any order leave at most one socket and one timer, and the console can be opened again', async () => {
  const event = fc.oneof(
    fc
      .constantFrom(...Object.values(closeCodes).map((each) => each.code), 1005, 1006, 3999)
      .map((code) => ({ close: code })),
    fc.integer({ min: 1, max: 90_000 }).map((advance) => ({ advance })),
    fc
      .constantFrom(
        'picture',
        'token',
        'open',
        'offline',
        'online',
        'hide',
        'show',
        'off',
        'running',
        'stale',
        'parkable',
        'parked',
      )
      .map((act) => ({ act })),
    fc.constantFrom('not_signed_in', 'rate_limited', 'not_allowed', 'internal').map((refuse) => ({ refuse })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
      const world = createWorld();
      world.connection.open();
      await world.settle();
      for (const each of events) {
        if ('close' in each) await world.close(each.close);
        else if ('advance' in each) await world.advance(each.advance);
        else if ('refuse' in each) world.answers.push({ ok: false, problem: { code: each.refuse } });
        else if (each.act === 'picture') await world.toFirstFrame();
        else if (each.act === 'token')
          world.sockets.at(-1)?.events.onControlMessage({ type: 'resume', token: 't'.repeat(43) });
        else if (each.act === 'parkable')
          world.sockets.at(-1)?.events.onControlMessage({ type: 'opened', mode: 'control', parking: true });
        else if (each.act === 'parked') world.sockets.at(-1)?.events.onControlMessage({ type: 'parked' });
        else if (each.act === 'open') world.connection.open();
        else if (each.act === 'stale') world.sockets[0]?.events.onClose(1006, '');
        else if (each.act === 'off' || each.act === 'running') {
          world.status = { ok: true, value: each.act === 'off' ? 'stopped' : 'running' };
        } else if (each.act === 'hide' || each.act === 'show') {
          world.visible = each.act === 'show';
          world.connection.visibilityChanged();
        } else {
          world.online = each.act === 'online';
          world.connection.networkChanged();
        }
        await world.settle();
        expect(world.sockets.filter((socket) => socket.open).length).toBeLessThanOrEqual(1);
        expect(world.clock.pending()).toBeLessThanOrEqual(1);
      }
      world.answers.length = 0;
      world.connection.open();
      // The relay closes the connection of a parked session whose page returns.
      if (world.view().state === 'parked') await world.close(closeCodes.moving.code);
      await world.toFirstFrame();
      expect(world.view().state).toBe('open');
      world.connection.stop();
      expect(world.clock.pending()).toBe(0);
      expect(world.sockets.filter((socket) => socket.open)).toHaveLength(0);
    }),
    { numRuns: 300 },
  );
});
