import { systemClock, type Clock } from '@porthole/shared/time/clock';
import type { PortholeError } from '@porthole/shared/errors';
import type { SharingLimits } from '@porthole/relay/screen/screen-limits';
import { createSharedScreens } from '@porthole/relay/screen/shared-screens';
import type { ScreenViewer, SharedScreen } from '@porthole/relay/screen/shared-screen-contract';
import { createRecordingHandler } from '../stream/memory-link.ts';
import { u16, u32 } from '../rfb/bytes.ts';

const testWorker = new URL('./faulty-worker.ts', import.meta.url);

export interface RigOptions {
  readonly clock?: Clock;
  readonly limits?: Partial<SharingLimits>;
  /** Runs the worker of the relay, instead of one that fails on request. */
  readonly realWorker?: boolean;
  readonly workers?: number;
}

/** Shared screens with a worker thread that fails on request, and what they report. */
export function createSharedScreenRig(options: RigOptions = {}) {
  const counts = { decode: 0, encode: 0, reports: 0, workersLost: 0 };
  const screens = createSharedScreens({
    clock: options.clock ?? systemClock,
    limits: { screens: 100, viewersPerScreen: 64, megapixels: 400, ...options.limits },
    workers: options.workers ?? 1,
    tileCacheMiB: 64,
    keepAliveMs: 5 * 60_000,
    metrics: {
      pictureWork(work, seconds) {
        counts[work] += seconds;
        if (work === 'decode') counts.reports++;
      },
      workerLost: () => void counts.workersLost++,
      ping: () => {},
    },
    ...(options.realWorker ? {} : { workerUrl: testWorker }),
  });
  return {
    counts,
    readings: screens.readings,
    stop: () => screens.stop(),
    open() {
      const lost: (PortholeError | undefined)[] = [];
      const viewerCounts: number[] = [];
      const screen = screens.open({
        name: 'lab-100',
        events: {
          onUpstreamLost: (error) => void lost.push(error),
          onViewers: (count) => void viewerCounts.push(count),
        },
      });
      return { screen, lost, viewerCounts };
    },
  };
}

export const updateRequest = (incremental = false) =>
  Buffer.of(3, incremental ? 1 : 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff);

export const setEncodings = (...encodings: readonly number[]) =>
  Buffer.concat([Buffer.of(2, 0), u16(encodings.length), ...encodings.map((each) => u32(each >>> 0))]);

/** A viewer of a shared screen, as its session uses it. */
export function attachViewer(screen: SharedScreen, { control = true } = {}) {
  const viewer: ScreenViewer = screen.attach({ control });
  const { link } = viewer;
  const { handler, received, ends, drains } = createRecordingHandler();
  return {
    ...viewer,
    received,
    ends,
    drains,
    /** Sends ClientInit and further messages, and begins to read. */
    start(...messages: readonly Buffer[]) {
      link.send(Buffer.concat([Buffer.of(1), ...messages]));
      link.setHandler(handler);
    },
    /** Begins to read. */
    read: () => link.setHandler(handler),
    send: (...messages: readonly Buffer[]) => link.send(Buffer.concat(messages)),
  };
}

export type AttachedViewer = ReturnType<typeof attachViewer>;
