import { InputGate } from '@porthole/relay/session/input-gate';
import { PortholeError } from '@porthole/shared/errors';
import { Parking } from '@porthole/relay/session/parking';
import { streamConsole } from '@porthole/relay/session/stream-console';
import { createFrameBatcher } from '@porthole/relay/stream/frame-batcher';
import type { LinkHandler } from '@porthole/relay/stream/link';
import { createLinkGauges } from '@porthole/relay/stream/link-gauges';
import { defaultDeadlines } from '@porthole/relay/upstream/deadlines';
import type { LocatedMachine } from '@porthole/relay/upstream/machine';
import type { MachineLink } from '@porthole/relay/upstream/proxmox-link';
import { createFakeClock } from '../../fakes/clock.ts';
import { aGrant } from '../rig.ts';
import { createMemoryViewer } from '../viewer/memory-viewer.ts';

/** What a stream is started with: both links are open, and nothing has ended. */
function createWorld() {
  const clock = createFakeClock();
  const viewer = createMemoryViewer({ batcher: createFrameBatcher(), clock });
  let handler: LinkHandler | undefined;
  let touched = false;
  const link: MachineLink = {
    buffered: 0,
    framesSent: 7,
    send: () => (touched = true),
    pause() {},
    resume: () => void (touched = true),
    setHandler: (next) => void (handler = next),
    ping() {},
    destroy() {},
  };
  const gauges = createLinkGauges();
  const abort = new AbortController();
  const timers = clock.pending();
  const parking = new Parking({ clock, delayMs: 10_000, mayPark: () => true });
  const start = () =>
    streamConsole({
      clock,
      claims: aGrant(clock),
      viewer: viewer.viewer,
      takeViewerLeftover: () => Buffer.alloc(0),
      dialled: {
        link,
        takeLeftover: () => Buffer.alloc(0),
        machine: {} as LocatedMachine,
        way: 'pass_through',
        release: () => link.destroy(),
      },
      count() {},
      metrics: { ping() {}, stalled() {} },
      linkGauges: gauges,
      onPicture() {},
      onAnswering() {},
      deadlines: defaultDeadlines,
      timeLimits: { input() {} },
      parking,
      gate: new InputGate(),
      signal: abort.signal,
    });
  return {
    clock,
    abort,
    parking,
    start,
    machineCloses: () => handler?.onEnded(),
    /** Whether the machine's link was used. */
    touched: () => touched || handler !== undefined,
    expectNothingLeft() {
      expect(clock.pending()).toBe(timers);
      // The frames of an ended stream are counted once, whatever its link sends later.
      Object.assign(link, { framesSent: 99 });
      expect(gauges.frames('to_machine')).toBe(7);
      viewer.destroy();
    },
  };
}

test('“a console that no order can end”: a stream whose session has ended already ends at once, and leaves nothing', async () => {
  const { abort, start, touched, expectNothingLeft } = createWorld();
  const order = new PortholeError('ended_by_operator');
  abort.abort(order);
  expect(await start()).toEqual({ by: 'viewer', error: order });
  expect(touched()).toBe(false);
  expectNothingLeft();
});

test('a stream whose page has been hidden for long enough ends, and nothing of it is left', async () => {
  const { clock, parking, start, expectNothingLeft } = createWorld();
  const stream = start();
  parking.setHidden(true);
  clock.advance(10_000);
  expect(await stream).toEqual({ by: 'parking' });
  parking.setHidden(false);
  parking.setHidden(true);
  expectNothingLeft();
});

test('a page that is hidden while its session ends starts no timer', async () => {
  const { abort, parking, start, expectNothingLeft } = createWorld();
  abort.abort(new PortholeError('ended_by_operator'));
  await start();
  parking.setHidden(true);
  expectNothingLeft();
});

test('an order ends a stream that goes on, and nothing of it is left', async () => {
  const { abort, start, expectNothingLeft } = createWorld();
  const stream = start();
  const order = new PortholeError('ended_by_operator');
  abort.abort(order);
  expect(await stream).toEqual({ by: 'viewer', error: order });
  expectNothingLeft();
});

test('a machine that closes ends the stream, and nothing of it is left', async () => {
  const { start, machineCloses, expectNothingLeft } = createWorld();
  const stream = start();
  machineCloses();
  expect(await stream).toEqual({ by: 'machine', error: undefined });
  expectNothingLeft();
});
