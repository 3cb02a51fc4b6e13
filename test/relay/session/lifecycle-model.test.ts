import fc from 'fast-check';
import { PortholeError } from '@porthole/shared/errors';
import { sessionStates, type SessionState } from '@porthole/relay/session/lifecycle';
import { binaryFrame, clientFrame, closePayload } from '../websocket-frames.ts';
import { createLifecycleWorld, type LifecycleWorld } from './lifecycle-world.ts';

const version = Buffer.from('RFB 003.008\n');
const handshake = Buffer.concat([version, Buffer.from([1, 1])]);
const updateRequest = Buffer.from([3, 1, 0, 0, 0, 0, 0, 1, 0, 1]);
const keyEvent = Buffer.from([4, 1, 0, 0, 0, 0, 0, 0x78]);
const text = (content: string) => clientFrame({ opcode: 1, payload: Buffer.from(content) });

/** What a viewer may send, valid and invalid; pieces are cut anywhere and sent together or one by one. */
const frames = {
  handshake: binaryFrame(handshake),
  version: binaryFrame(version),
  securityType: binaryFrame(Buffer.from([1])),
  clientInit: binaryFrame(Buffer.from([1])),
  updateRequest: binaryFrame(updateRequest),
  keyEvent: binaryFrame(keyEvent),
  garbage: binaryFrame(Buffer.from([77])),
  extend: text('{"type":"extend"}'),
  ping: text('{"type":"ping"}'),
  hidden: text('{"type":"visibility","hidden":true}'),
  visible: text('{"type":"visibility","hidden":false}'),
  invalidText: text('please'),
  unmasked: Buffer.from([0x82, 1, 3]),
  closeFrame: clientFrame({ opcode: 8, payload: closePayload(1000, '') }),
};
type FrameName = keyof typeof frames;

type Command = (world: LifecycleWorld) => unknown;

/** Every event that can reach a session. */
const events: Readonly<Record<string, Command>> = {
  fin: ({ browser }) => browser.connection.push(null),
  reset: ({ browser }) => browser.connection.destroy(),
  drain: ({ session }) => session.end(new PortholeError('draining')),
  announceDrain: ({ session }) => session.announceDrain(),
  order: (world) => world.order(),
  resumeElsewhere: (world) => world.resumeElsewhere(),
  storeAway: (world) => world.storeAnswers('never'),
  storeSlow: (world) => world.storeAnswers('later'),
  storeBack: (world) => world.storeAnswers('now'),
  queued: (world) => tell(world, () => world.dialling()?.onProgress({ position: 1 })),
  opening: (world) => tell(world, () => world.dialling()?.onStep('console')),
  dialled: (world) => world.dialled(),
  dialFailed: (world) => world.dialling()?.settle(new PortholeError('proxmox_timeout')),
  machineSends: ({ machine }) => machine.sends(Buffer.alloc(100)),
  machineCloses: ({ machine }) => machine.closes(),
  second: ({ clock }) => clock.advance(1000),
  tenSeconds: ({ clock }) => clock.advance(10_000),
  minute: ({ clock }) => clock.advance(60_000),
  hour: ({ clock }) => clock.advance(3_600_000),
  settle: (world) => world.settle(),
};

/** A dial that is told that its session has ended stops with what it was told. */
function tell(world: LifecycleWorld, progress: () => void): void {
  try {
    progress();
  } catch (error) {
    world.dialling()?.settle(error as PortholeError);
  }
}

const sending: fc.Arbitrary<{ name: string; run: Command }> = fc
  .tuple(
    fc.subarray(Object.keys(frames) as FrameName[], { minLength: 1, maxLength: 3 }),
    fc.double({ noNaN: true, min: 0, max: 1 }),
  )
  .map(([names, cut]) => {
    const bytes = Buffer.concat(names.map((name) => frames[name]));
    const at = Math.floor(cut * bytes.length);
    return {
      name: `viewer sends ${names.join('+')} cut at ${at}`,
      async run({ browser }) {
        await browser.receive(bytes.subarray(0, at));
        await browser.receive(bytes.subarray(at));
      },
    };
  });
const event = fc.constantFrom(...Object.entries(events)).map(([name, run]) => ({ name, run }));
/** Most stories begin with some or all of the steps by which a console opens, so that they reach the later states. */
const send = (name: FrameName) => ({
  name: `viewer sends ${name}`,
  run: ({ browser }: LifecycleWorld) => browser.receive(frames[name]),
});
const call = (name: keyof typeof events) => ({ name, run: (world: LifecycleWorld) => events[name]?.(world) });
const openings = [
  [call('settle'), send('handshake'), call('dialled'), call('settle')],
  [
    call('settle'),
    send('version'),
    send('securityType'),
    call('dialled'),
    call('settle'),
    send('clientInit'),
  ],
  [
    call('settle'),
    send('handshake'),
    call('dialled'),
    call('settle'),
    send('hidden'),
    call('tenSeconds'),
    call('settle'),
  ],
];
const story = fc
  .tuple(
    fc.constantFrom(...openings),
    fc.nat(7),
    fc.array(fc.oneof({ weight: 2, arbitrary: sending }, { weight: 3, arbitrary: event }), { maxLength: 12 }),
  )
  .map(([opening, begun, rest]) => [...opening.slice(0, begun), ...rest]);

/** Value of a counter or gauge, over all labels. */
async function total({ registry }: LifecycleWorld, name: string): Promise<number> {
  const metric = await registry.getSingleMetric(name)?.get();
  return metric?.values.reduce((sum, { value }) => sum + value, 0) ?? Number.NaN;
}

/** Ends the session, and checks that nothing of it is left. */
async function expectCleanEnd(world: LifecycleWorld): Promise<void> {
  const { audited, browser, clock, machine, session } = world;
  session.end(new PortholeError('ended_by_operator'));
  expect(['ending', 'ended']).toContain(session.state);
  world.storeAnswers('now');
  world.dialled();
  await world.settle();
  // At once, not when some timeout of a connection is over.
  expect(session.state).toBe('ended');
  await session.done;
  expect(world.openStreams()).toBe(0);
  // A console that Proxmox opened, even too late, is closed once.
  expect(machine.counts.destroyed).toBe(world.dialEnded() === 'open' ? 1 : 0);
  // The viewer has received a close, or its connection is gone; what is left of it is the close timeout of `ws`.
  browser.destroy();
  await world.settle();
  expect(clock.pending()).toBe(0);
  // A viewer that was lost may resume for a while; then its record and its leases are gone, too.
  clock.advance(200_000);
  expect(await world.leases()).toEqual([0, 0, 0, 0]);
  expect(await world.record()).toBeUndefined();

  const opened = audited.filter(({ event }) => event === 'console_opened').length;
  const ended = audited.filter(({ event }) => event === 'console_ended').length;
  const failed = audited.filter(({ event }) => event === 'console_open_failed').length;
  expect(opened).toBe(ended);
  expect(audited.filter(({ event }) => event === 'console_parked').length).toBeLessThanOrEqual(opened);
  expect(opened + failed).toBeLessThanOrEqual(1);
  expect(await total(world, 'porthole_relay_sessions')).toBe(0);
  expect(await total(world, 'porthole_relay_parked_sessions')).toBe(0);
  expect(await total(world, 'porthole_relay_opens_total')).toBe(1);
  expect(await total(world, 'porthole_relay_closes_total')).toBe(1);
  world.stop();
}

test('a session can be ended in any state, whatever happened before, and nothing of it is left', async () => {
  const seen = new Set<SessionState>();
  await fc.assert(
    fc.asyncProperty(story, async (commands) => {
      const world = await createLifecycleWorld();
      for (const { run } of commands) {
        await run(world);
        seen.add(world.session.state);
      }
      await expectCleanEnd(world);
    }),
    { numRuns: 800 },
  );
  expect([...seen].toSorted()).toEqual([...sessionStates].toSorted());
}, 240_000);

test('“a console that no order can end”: an order ends the session in any state', async () => {
  await fc.assert(
    fc.asyncProperty(story, async (commands) => {
      const world = await createLifecycleWorld();
      for (const { run } of commands) await run(world);
      world.storeAnswers('now');
      await world.settle();
      await world.order();
      await world.settle();
      // Before its grant is accepted, an order can't name the session; it finds the order when it is.
      expect(['ending', 'ended']).toContain(world.session.state);
      await expectCleanEnd(world);
    }),
    { numRuns: 300 },
  );
}, 240_000);

test('a console is released once, whether its session is parked before it ends or not', async () => {
  const world = await createLifecycleWorld();
  await world.settle();
  await world.browser.receive(frames.handshake);
  world.dialled();
  await world.settle();
  await world.browser.receive(frames.hidden);
  world.clock.advance(10_000);
  await world.settle();
  expect(world.session.state).toBe('parked');
  expect(world.machine.counts.destroyed).toBe(1);
  expect(world.openStreams()).toBe(0);
  // Whatever the released console still does concerns the session no more.
  world.machine.sends(Buffer.alloc(10));
  world.machine.closes();
  await world.settle();
  expect(world.session.state).toBe('parked');
  await expectCleanEnd(world);
});

test('“timers outlive their session”: a viewer that closes right behind its ClientInit leaves nothing', async () => {
  const world = await createLifecycleWorld();
  await world.settle();
  await world.browser.receive(frames.version);
  await world.browser.receive(frames.securityType);
  await world.settle();
  world.dialled();
  await world.settle();
  await world.browser.receive(Buffer.concat([frames.clientInit, frames.closeFrame]));
  world.browser.connection.push(null);
  await world.settle();
  expect(world.session.state).toBe('ended');
  world.browser.destroy();
  await world.settle();
  expect(world.clock.pending()).toBe(0);
  world.stop();
});

test('an invalid text right behind the ClientInit ends the session', async () => {
  const world = await createLifecycleWorld();
  await world.settle();
  await world.browser.receive(Buffer.concat([frames.version, frames.securityType]));
  await world.settle();
  world.dialled();
  await world.settle();
  await world.browser.receive(Buffer.concat([frames.clientInit, frames.invalidText]));
  await world.settle();
  expect(world.session.state).toBe('ended');
  world.browser.destroy();
  await world.settle();
  expect(world.clock.pending()).toBe(0);
  world.stop();
});
