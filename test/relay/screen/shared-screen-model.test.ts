import fc from 'fast-check';
import { PortholeError } from '@porthole/shared/errors';
import { createMemoryMachine, type MemoryMachine } from './memory-machine.ts';
import { createSameThreadScreen } from './same-thread.ts';
import { attachViewer, setEncodings, updateRequest, type AttachedViewer } from './shared-screen-rig.ts';

const size = { width: 4, height: 2 };

const arbitraryStep = fc.oneof(
  fc.constant({ do: 'connect' } as const),
  fc.constant({ do: 'adopt' } as const),
  fc.record({ do: fc.constant('machineBytes' as const), bytes: fc.uint8Array({ maxLength: 40 }) }),
  fc.constant({ do: 'machineShows' } as const),
  fc.constant({ do: 'machineDraws' } as const),
  fc.constant({ do: 'machineEnds' } as const),
  fc.constant({ do: 'pictureLost' } as const),
  fc.constant({ do: 'attach' } as const),
  fc.record({ do: fc.constant('start' as const), viewer: fc.nat(4) }),
  fc.record({ do: fc.constant('request' as const), viewer: fc.nat(4), incremental: fc.boolean() }),
  fc.record({
    do: fc.constant('viewerBytes' as const),
    viewer: fc.nat(4),
    bytes: fc.uint8Array({ maxLength: 40 }),
  }),
  fc.record({ do: fc.constant('pause' as const), viewer: fc.nat(4) }),
  fc.record({ do: fc.constant('resume' as const), viewer: fc.nat(4) }),
  fc.record({ do: fc.constant('control' as const), viewer: fc.nat(4), control: fc.boolean() }),
  fc.record({ do: fc.constant('leave' as const), viewer: fc.nat(4) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 30_000 }) }),
  fc.constant({ do: 'end' } as const),
);
type Step = typeof arbitraryStep extends fc.Arbitrary<infer S> ? S : never;

interface TrackedViewer extends AttachedViewer {
  started: boolean;
  left: boolean;
}

/** A screen with everything that may happen to it, and what must hold at any time. */
function createWorld() {
  const viewerCounts: number[] = [0];
  const lost: string[] = [];
  const rig = createSameThreadScreen({
    events: {
      onUpstreamLost: (error) => void lost.push(error?.code ?? 'ended'),
      onViewers: (count) => void viewerCounts.push(count),
    },
  });
  const { screen } = rig;
  const machines: MemoryMachine[] = [];
  const outcomes: string[] = [];
  const viewers: TrackedViewer[] = [];
  let ended = false;
  const machine = () => machines.at(-1);
  const viewerAt = (index: number) => viewers[index % Math.max(1, viewers.length)];

  function take(step: Step): void {
    switch (step.do) {
      case 'connect':
      case 'adopt': {
        const next = createMemoryMachine(step.do === 'adopt' ? 'adopt' : 'authenticated');
        machines.push(next);
        const index = outcomes.push('pending') - 1;
        screen.connect(next.upstream).then(
          () => (outcomes[index] = 'connected'),
          (error: PortholeError) => (outcomes[index] = error.code),
        );
        return;
      }
      case 'machineBytes':
        return machine()?.link.receive(Buffer.from(step.bytes));
      case 'machineShows':
        return machine()?.show(size);
      case 'machineDraws':
        return machine()?.draw(rig.clock.now() & 0xff_ff_ff);
      case 'machineEnds':
        return machine()?.link.end();
      case 'pictureLost':
        return rig.losePicture();
      case 'attach':
        if (ended || viewers.length === 5) return;
        viewers.push({ ...attachViewer(screen), started: false, left: false });
        return;
      case 'end':
        ended = true;
        return screen.end(new PortholeError('machine_ended'));
      case 'wait':
        return rig.clock.advance(step.ms);
      default:
        return takeViewerStep(step, viewerAt(step.viewer));
    }
  }

  function takeViewerStep(step: Step, viewer: TrackedViewer | undefined): void {
    if (!viewer) return;
    switch (step.do) {
      case 'start':
        if (!viewer.started) viewer.start(setEncodings(0, -223, -308));
        viewer.started = true;
        return;
      case 'request':
        return void (viewer.started && viewer.send(updateRequest(step.incremental)));
      case 'viewerBytes':
        return void (viewer.started && viewer.send(Buffer.from(step.bytes)));
      case 'pause':
        return viewer.link.pause();
      case 'resume':
        return viewer.link.resume();
      case 'control':
        return viewer.setControl(step.control);
      case 'leave':
        viewer.left = true;
        return viewer.link.destroy();
      default:
    }
  }

  function check(): void {
    const present = viewers.filter(({ left, ends }) => !left && ends.length === 0);
    // A viewer that has not started does not hear of its end.
    if (!ended) {
      expect(screen.viewers).toBe(present.length);
      expect(viewerCounts.at(-1)).toBe(present.length);
    } else expect(screen.viewers).toBe(0);
    for (const { ends } of viewers) expect(ends.length).toBeLessThanOrEqual(1);
    for (const old of machines.slice(0, -1)) expect(old.link.destroyed).toBe(true);
    if (ended && machine()) expect(machine()?.link.destroyed).toBe(true);
  }

  async function finish(): Promise<void> {
    screen.end(new PortholeError('machine_ended'));
    await Promise.resolve();
    for (const viewer of viewers) if (viewer.started && !viewer.left) expect(viewer.ends.length).toBe(1);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    expect(outcomes).not.toContain('pending');
    expect(rig.clock.pending()).toBe(0);
    for (const each of machines) expect(each.link.destroyed).toBe(true);
  }

  return { take, check, finish };
}

test('a shared screen keeps its promises, whatever happens to its console, worker and viewers in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(arbitraryStep, { maxLength: 60 }), async (steps) => {
      const world = createWorld();
      for (const step of steps) {
        world.take(step);
        await Promise.resolve();
        world.check();
      }
      await world.finish();
    }),
    { numRuns: 1500 },
  );
});
