import { randomBytes } from 'node:crypto';
import { PortholeError } from '@porthole/shared/errors';
import { onAbort } from '@porthole/shared/time/on-abort';
import { eventually } from '../../eventually.ts';
import { freePort } from '../../free-port.ts';
import { EchoConsole, serverInit } from './echo-console.ts';
import { startForwardRig, stopForwardRigs } from './forward-rig.ts';

afterEach(stopForwardRigs);

test('bytes of a forwarded viewer reach the console of the owner, and its bytes the viewer', async () => {
  const rig = await startForwardRig();
  const session = await rig.forward();
  session.link.send(Buffer.from([1]));
  await eventually(() => expect(session.received()).toEqual(serverInit));
  session.link.send(Buffer.from('a key'));
  await eventually(() => expect(session.received().toString()).toBe('ServerInita key'));
  expect(Buffer.concat(rig.consoles[0]!.received).subarray(1).toString()).toBe('a key');
});

test('the owner gets the claims of the viewer unchanged, so that a viewer that may only watch can only watch', async () => {
  const rig = await startForwardRig();
  await rig.forward({ mode: 'view', clipboard: 'none', updatesPerSecond: 2 });
  expect(rig.requests[0]!.claims).toMatchObject({ mode: 'view', clipboard: 'none', updatesPerSecond: 2 });
});

test('a large picture arrives complete and in order, however it is split into frames', async () => {
  const rig = await startForwardRig();
  const session = await rig.forward();
  const picture = randomBytes(8 * 1024 * 1024);
  rig.consoles[0]!.produce(picture);
  await eventually(() => expect(session.received().length).toBe(picture.length));
  expect(session.received().equals(picture)).toBe(true);
});

test('a keyframe for a recording arrives between the bytes that were sent before and after it', async () => {
  const rig = await startForwardRig();
  const session = await rig.forward();
  const console = rig.consoles[0]!;
  const events: (readonly [number, Buffer])[] = [];
  session.link.requestKeyframe?.(({ width, bytes }) =>
    events.push([session.received().length, Buffer.concat([Buffer.from(`${width} `), bytes])]),
  );
  await eventually('the screen is asked', () => console.asksForKeyframe);
  const bytes = randomBytes(300_000);
  console.produce(Buffer.alloc(100_000));
  console.produceKeyframe({ width: 8, height: 6, bytes });
  console.produce(Buffer.alloc(70_000));
  await eventually('all has arrived', () => session.received().length === 170_000);
  expect(events).toHaveLength(1);
  expect(events[0]?.[0]).toBe(100_000);
  expect(events[0]?.[1].equals(Buffer.concat([Buffer.from('8 '), bytes]))).toBe(true);
});

test('memory that the console reuses after a send does not change what arrives', async () => {
  const rig = await startForwardRig();
  const session = await rig.forward();
  const bytes = Buffer.alloc(60_000, 'a');
  for (let i = 0; i < 10; i++) rig.consoles[0]!.produce(bytes);
  bytes.fill('b');
  await eventually(() => expect(session.received().length).toBe(10 * 60_000));
  expect(session.received().includes('b')).toBe(false);
});

test('notices of the screen reach the session, also those before the viewer is attached', async () => {
  const link = new EchoConsole();
  const rig = await startForwardRig({
    async accept({ onNotice }) {
      onNotice({ type: 'screen', state: 'reconnecting' });
      return { link, ended: link.ended };
    },
  });
  const session = await rig.forward();
  rig.requests[0]!.onNotice({ type: 'screen', state: 'live' });
  await eventually(() => expect(session.notices.map(({ state }) => state)).toEqual(['reconnecting', 'live']));
});

test.each(['screen_full', 'machine_not_found', 'machine_stopped', 'proxmox_permission'] as const)(
  'the refusal %s of the owner is the error of the viewer',
  async (code) => {
    const rig = await startForwardRig({
      accept: async () => {
        throw new PortholeError(code);
      },
    });
    await expect(rig.forward()).rejects.toMatchObject({ code });
    expect(await rig.metric('relay', `forwards_refused_total{direction="out",code="${code}"}`)).toBe(1);
    await rig.eventuallyMetric('owner', `forwards_refused_total{direction="in",code="${code}"}`, 1);
    await rig.eventuallyMetric('owner', 'forwarded_viewers{direction="in"}', 0);
    await rig.eventuallyMetric('relay', 'forwarded_viewers{direction="out"}', 0);
  },
);

test('an owner that is gone is unreachable', async () => {
  const rig = await startForwardRig();
  await expect(rig.forward({}, `127.0.0.1:${await freePort()}`)).rejects.toMatchObject({
    code: 'owner_unreachable',
  });
});

test('an owner that closes without an answer, or moves its consoles, is unreachable', async () => {
  const moving = await startForwardRig({
    accept: async () => {
      throw new PortholeError('screen_moved');
    },
  });
  await expect(moving.forward()).rejects.toMatchObject({ code: 'owner_unreachable' });
  const resetting = await startForwardRig({
    accept: async ({ signal }) => {
      resetting.network.reset();
      return new Promise((_, reject) => onAbort(signal, (reason) => reject(reason)));
    },
  });
  await expect(resetting.forward()).rejects.toMatchObject({ code: 'owner_unreachable' });
});

test('the reason for which the console ends is the reason for which the forwarded viewer ends', async () => {
  const rig = await startForwardRig();
  const session = await rig.forward();
  rig.consoles[0]!.end(new PortholeError('machine_not_found'));
  await eventually(() => expect(session.ended()).toBe('machine_not_found'));
  expect(rig.consoles[0]!.destroyed).toBe(1);
  await rig.eventuallyMetric('owner', 'forwarded_viewers{direction="in"}', 0);
});

test('a console that Proxmox closed ends without an error, after its last bytes', async () => {
  const rig = await startForwardRig();
  const session = await rig.forward();
  rig.consoles[0]!.produce(Buffer.alloc(300_000, 'z'));
  rig.consoles[0]!.end();
  await eventually(() => expect(session.ended()).toBe('none'));
  expect(session.received().length).toBe(300_000);
});

test('a console that ends before its reason is known waits for the reason, but not for long', async () => {
  const rig = await startForwardRig();
  const [first, second] = [await rig.forward(), await rig.forward()];
  rig.consoles[0]!.break();
  rig.consoles[0]!.end(new PortholeError('machine_ended'));
  await eventually(() => expect(first.ended()).toBe('machine_ended'));
  rig.consoles[1]!.break();
  rig.ownerClock.advance(1000);
  await eventually(() => expect(second.ended()).toBe('none'));
});

test('when the session ends, the owner releases the console of its viewer, once', async () => {
  const rig = await startForwardRig();
  const session = await rig.forward();
  expect(await rig.metric('relay', 'forwarded_viewers{direction="out"}')).toBe(1);
  session.link.destroy();
  session.link.destroy();
  await eventually(() => expect(rig.consoles[0]!.destroyed).toBe(1));
  expect(rig.requests[0]!.signal.aborted).toBe(true);
  expect(await rig.metric('relay', 'forwarded_viewers{direction="out"}')).toBe(0);
  await rig.eventuallyMetric('owner', 'forwarded_viewers{direction="in"}', 0);
});

test('a viewer that leaves while the owner still dials is rejected at once, and the owner is told', async () => {
  const attached = Promise.withResolvers<EchoConsole>();
  const rig = await startForwardRig({
    async accept() {
      const link = await attached.promise;
      return { link, ended: link.ended };
    },
  });
  const abort = new AbortController();
  const forwarded = rig.forward({}, rig.address, abort.signal);
  await eventually(() => expect(rig.requests).toHaveLength(1));
  abort.abort(new Error('the viewer has left'));
  await expect(forwarded).rejects.toThrow('the viewer has left');
  await eventually(() => expect(rig.requests[0]!.signal.aborted).toBe(true));
  // A console that arrives too late is released.
  const late = new EchoConsole();
  attached.resolve(late);
  await eventually(() => expect(late.destroyed).toBe(1));
});

test('the answer to a ping comes from the owner', async () => {
  const rig = await startForwardRig();
  const { link } = await rig.forward();
  await new Promise<void>((resolve) => link.ping(resolve));
});

test('an owner that waits for its own dial stays connected as long as it answers', async () => {
  const attached = Promise.withResolvers<EchoConsole>();
  const rig = await startForwardRig({
    async accept() {
      const link = await attached.promise;
      return { link, ended: link.ended };
    },
  });
  const forwarded = rig.forward();
  await eventually(() => expect(rig.requests).toHaveLength(1));
  // Until then, the relay's clock could reach the deadline for connecting.
  await rig.eventuallyMetric('relay', 'forwarded_viewers{direction="out"}', 1);
  for (let second = 0; second < 8; second++) {
    const before = rig.network.bytesToClient();
    rig.ownerClock.advance(1000);
    rig.relayClock.advance(1000);
    await eventually(() => expect(rig.network.bytesToClient()).toBeGreaterThan(before));
  }
  attached.resolve(new EchoConsole());
  await forwarded;
});

test('a viewer that does not read pauses the console, and its memory at both relays is limited', async () => {
  const rig = await startForwardRig();
  const session = await rig.forward();
  session.link.pause();
  const console = rig.consoles[0]!;
  const chunk = Buffer.alloc(256 * 1024);
  let produced = 0;
  // The network takes some MiB.
  await eventually(() => {
    if (console.paused) return true;
    console.produce(chunk);
    produced += chunk.length;
    return false;
  });
  expect(produced).toBeLessThan(64 * 1024 * 1024);
  session.link.resume();
  await eventually(() => expect(session.received().length).toBe(produced));
  expect(console.paused).toBe(false);
});

test('a machine that takes no input pauses the viewer, and gets all of it when it goes on', async () => {
  const rig = await startForwardRig();
  const { link } = await rig.forward();
  const console = rig.consoles[0]!;
  const received = () => console.received.reduce((sum, { length }) => sum + length, 0);
  console.buffered = 2 * 1024 * 1024;
  const input = Buffer.alloc(32 * 1024 * 1024, 1);
  link.send(input);
  await eventually(() => expect(received()).toBeGreaterThan(0));
  expect(link.buffered).toBeGreaterThan(0);
  expect(received()).toBeLessThan(input.length);
  console.takeInput();
  await eventually(() => expect(received()).toBe(input.length));
});
