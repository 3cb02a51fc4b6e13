import type { Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import { createPictureThreads } from './picture-threads.ts';
import { ScreenTotals, type SharingLimits } from './screen-limits.ts';
import type { ScreenMetrics, ScreenReadings } from './screen-metrics.ts';
import { Screen } from './screen.ts';
import type { SharedScreen, SharedScreenEvents } from './shared-screen-contract.ts';

export interface SharedScreensDeps {
  readonly clock: Clock;
  readonly limits: SharingLimits;
  /** Maximum number of worker threads. */
  readonly workers: number;
  /** Limit of the encoded tiles that each worker thread keeps, in MiB. */
  readonly tileCacheMiB: number;
  /** Interval of the checks whether an idle console needs a keep-alive message, in milliseconds. */
  readonly keepAliveMs: number;
  readonly metrics: ScreenMetrics;
  /** The module that a worker thread runs. Default: that of the relay. */
  readonly workerUrl?: URL;
}

/** The shared screens of a relay. */
export interface SharedScreens {
  /** Creates a screen without a console and without viewers. Throws `screen_full` at the limit. */
  open(screen: { readonly name: string; readonly events: SharedScreenEvents }): SharedScreen;
  /** Starts what the next screen needs. Resolves when it can decode a picture at once. Does not reject. */
  prepare(): Promise<void>;
  readonly readings: ScreenReadings;
  /** Ends all screens, with `screen_moved`, and the worker threads. */
  stop(): Promise<void>;
}

export function createSharedScreens(deps: SharedScreensDeps): SharedScreens {
  const { clock, limits, workers, tileCacheMiB, keepAliveMs, metrics, workerUrl } = deps;
  const totals = new ScreenTotals(limits);
  const screens = new Set<Screen>();
  const threads = createPictureThreads({
    clock,
    workers,
    tileCacheMiB,
    workerUrl,
    onWorkerLost: () => metrics.workerLost(),
    onWork({ decodeSeconds, encodeSeconds }) {
      metrics.pictureWork('decode', decodeSeconds);
      metrics.pictureWork('encode', encodeSeconds);
    },
  });

  return {
    open({ name, events }) {
      const screen: Screen = new Screen({
        clock,
        name,
        events,
        threads,
        totals,
        viewersPerScreen: limits.viewersPerScreen,
        keepAliveMs,
        metrics,
        onEnded() {
          screens.delete(screen);
          totals.remove(screen);
        },
      });
      totals.add(screen);
      screens.add(screen);
      return screen;
    },
    prepare: () => threads.prepare(),
    readings: {
      get screens() {
        return screens.size;
      },
      get viewers() {
        let viewers = 0;
        for (const screen of screens) viewers += screen.viewers - screen.thumbnails;
        return viewers;
      },
      get thumbnails() {
        let thumbnails = 0;
        for (const screen of screens) thumbnails += screen.thumbnails;
        return thumbnails;
      },
      get pixels() {
        return totals.pixels;
      },
      get cacheBytes() {
        return threads.cacheBytes;
      },
    },
    async stop() {
      for (const screen of screens) screen.end(new PortholeError('screen_moved'));
      await threads.stop();
    },
  };
}
