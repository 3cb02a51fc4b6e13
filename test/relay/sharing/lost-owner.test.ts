import { createTracing } from '@porthole/shared/telemetry/tracing';
import { onAbort } from '@porthole/shared/time/on-abort';
import { eventually } from '../../eventually.ts';
import { startForwardRig, stopForwardRigs, type ForwardRig } from './forward-rig.ts';

afterEach(stopForwardRigs);

/** Time passes at one side, second by second, and what the network still delivers arrives in between. */
async function passSeconds(rig: ForwardRig, side: 'ownerClock' | 'relayClock', seconds: number) {
  for (let second = 0; second < seconds; second++) {
    rig[side].advance(1000);
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  }
}

test('a viewer whose owner was killed moves at once', async () => {
  const rig = await startForwardRig();
  const session = await rig.forward();
  rig.network.reset();
  await eventually(() => expect(session.ended()).toBe('screen_moved'));
  expect(await rig.metric('relay', 'forwarded_viewers{direction="out"}')).toBe(0);
});

test('a viewer whose owner lost its power moves after 5 s', async () => {
  const rig = await startForwardRig();
  const session = await rig.forward();
  rig.network.freeze();
  await passSeconds(rig, 'relayClock', 4);
  expect(session.ended()).toBeUndefined();
  await passSeconds(rig, 'relayClock', 1);
  expect(session.ended()).toBe('screen_moved');
  // Only the owner's side has a timer left.
  expect(rig.relayClock.pending()).toBe(0);
});

test('an owner releases the viewer of a relay that lost its power after 5 s', async () => {
  const rig = await startForwardRig();
  await rig.forward();
  rig.network.freeze();
  await passSeconds(rig, 'ownerClock', 5);
  await eventually(() => expect(rig.consoles[0]!.destroyed).toBe(1));
  expect(rig.ownerClock.pending()).toBe(0);
});

test('an owner that stops answering before it has accepted is unreachable after 5 s', async () => {
  const rig = await startForwardRig({
    accept: ({ signal }) => new Promise((_, reject) => onAbort(signal, (reason) => reject(reason))),
  });
  const forwarded = rig.forward();
  const outcome = expect(forwarded).rejects.toMatchObject({ code: 'owner_unreachable' });
  await eventually(() => expect(rig.requests).toHaveLength(1));
  rig.network.freeze();
  await passSeconds(rig, 'relayClock', 5);
  await outcome;
  await passSeconds(rig, 'ownerClock', 5);
});

test('an owner that does not answer at all is unreachable after 1 s', async () => {
  const rig = await startForwardRig();
  rig.network.freeze();
  const forwarded = rig.forward();
  const outcome = expect(forwarded).rejects.toMatchObject({ code: 'owner_unreachable' });
  await eventually(() => expect(rig.network.connections()).toBe(1));
  rig.relayClock.advance(1000);
  await outcome;
  expect(rig.relayClock.pending()).toBe(0);
});

test('a viewer that pauses its link for long is not taken for dead, nor its owner', async () => {
  const rig = await startForwardRig();
  const session = await rig.forward();
  session.link.pause();
  for (let second = 0; second < 10; second++) {
    const before = rig.network.bytesToClient();
    rig.ownerClock.advance(1000);
    rig.relayClock.advance(1000);
    await eventually(() => expect(rig.network.bytesToClient()).toBeGreaterThan(before));
  }
  session.link.resume();
  rig.consoles[0]!.produce(Buffer.from('picture'));
  await eventually(() => expect(session.received().toString()).toBe('picture'));
  expect(session.ended()).toBeUndefined();
});

describe('a drain of the owner', () => {
  test('moves its forwarded viewers one after the other, and is over when all are gone', async () => {
    const rig = await startForwardRig({ listener: { drainMs: 300 } });
    const sessions = [await rig.forward(), await rig.forward(), await rig.forward()];
    let drained = false;
    const drain = rig.listener.drain().then(() => (drained = true));
    const moved = () => sessions.filter((session) => session.ended() === 'screen_moved').length;
    rig.ownerClock.advance(100);
    await eventually(() => expect(moved()).toBe(1));
    expect(drained).toBe(false);
    rig.ownerClock.advance(200);
    await eventually(() => expect(moved()).toBe(3));
    await drain;
    expect(rig.consoles.map(({ destroyed }) => destroyed)).toEqual([1, 1, 1]);
    await rig.listener.stop?.();
  });

  test('makes it unreachable for new viewers, so that another relay takes the machine over', async () => {
    const rig = await startForwardRig({ listener: { drainMs: 300 } });
    await rig.forward();
    void rig.listener.drain();
    await expect(rig.forward()).rejects.toMatchObject({ code: 'owner_unreachable' });
  });

  test('leaves no connection and no timer behind', async () => {
    const rig = await startForwardRig();
    await rig.forward();
    const stopped = rig.listener.stop?.();
    await eventually(async () => {
      rig.ownerClock.advance(100);
      expect(await rig.metric('owner', 'forwarded_viewers{direction="in"}')).toBe(0);
    });
    await stopped;
    expect(rig.ownerClock.pending()).toBe(0);
    await expect(rig.forward()).rejects.toMatchObject({ code: 'owner_unreachable' });
  });
});

describe('while grant keys rotate', () => {
  const [old, next] = ['o'.repeat(40), 'n'.repeat(40)];

  test('relays that use the old and the new key first forward to each other', async () => {
    for (const [ofOwner, ofRelay] of [
      [
        [old, next],
        [next, old],
      ],
      [
        [next, old],
        [old, next],
      ],
    ]) {
      const rig = await startForwardRig({
        listener: { keys: () => ofOwner! },
        relay: { keys: () => ofRelay! },
      });
      await rig.forward();
    }
  });

  test('a key that was added while the listener runs is accepted, and one that was removed no longer', async () => {
    let keys = [old];
    const rig = await startForwardRig({ listener: { keys: () => keys }, relay: { keys: () => [next] } });
    await expect(rig.forward()).rejects.toMatchObject({ code: 'owner_unreachable' });
    keys = [old, next];
    await rig.forward();
    keys = [old];
    await expect(rig.forward()).rejects.toMatchObject({ code: 'owner_unreachable' });
  });
});

test('a forward is a span of the viewer’s trace, and the owner gets its traceparent', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const names: string[] = [];
  const rig = await startForwardRig({
    relay: {
      tracing: {
        withSpan: (name, _attributes, work) => {
          names.push(name);
          return work({
            ...createTracing({ clock: { now: () => 0 } as never, tracer: () => undefined }).startSpan('x'),
            traceparent,
          });
        },
      },
    },
  });
  await rig.forward();
  expect(names).toEqual(['console forward']);
  expect(rig.requests[0]!.claims.traceparent).toBe(traceparent);
});
