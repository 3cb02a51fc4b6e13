import { createFakeClock } from '../../fakes/clock.ts';
import { Screen, type ScreenDeps } from '@porthole/relay/screen/screen';
import { ScreenTotals } from '@porthole/relay/screen/screen-limits';
import { createPictureServer } from '@porthole/relay/picture/picture-server';
import { ServedPicture } from '@porthole/relay/picture/served-picture';
import type { PictureListener } from '@porthole/relay/screen/picture-thread';
import { TileCache } from '@porthole/relay/picture/tile-cache';
import type { MachineEvent, ToPicture } from '@porthole/relay/picture/worker-messages';

/** A shared screen whose picture server runs in the same thread, so that all is over when a call returns. */
export function createSameThreadScreen(deps: Partial<ScreenDeps> = {}) {
  const clock = createFakeClock();
  const cache = new TileCache(1024 * 1024);
  const toPicture: ToPicture[] = [];
  const toViewer: Uint8Array[] = [];
  const lost: (string | undefined)[] = [];
  let listening: PictureListener | undefined;
  let lose = () => {};
  let holding: (() => void)[] | undefined;
  const screen: Screen = new Screen({
    clock,
    name: 'lab-100',
    events: { onUpstreamLost: (error) => void lost.push(error?.code), onViewers: () => {} },
    totals: new ScreenTotals({ screens: 1, viewersPerScreen: 64, megapixels: 400 }),
    viewersPerScreen: 64,
    keepAliveMs: 5 * 60_000,
    metrics: { ping: () => {} },
    onEnded: () => {},
    threads: {
      open(listener) {
        listening = listener;
        const picture = new ServedPicture((events, deps) => createPictureServer({ ...deps, events, cache }), {
          clock,
          measure: (_, run) => run(),
          post(message) {
            if (message.type === 'toViewers') for (const _ of message.viewers) toViewer.push(message.bytes);
            if (holding) holding.push(() => listener.onPictureMessage(message));
            else listener.onPictureMessage(message);
          },
        });
        let gone = false;
        lose = () => {
          if (gone) return;
          gone = true;
          picture.stop();
          listener.onPictureLost('the worker thread has ended');
        };
        return {
          post(message) {
            toPicture.push(message);
            picture.onMessage(message);
          },
          close() {
            gone = true;
            picture.stop();
          },
        };
      },
    },
    ...deps,
  });
  return {
    screen,
    clock,
    lost,
    /** Everything that the screen has sent to its picture server. */
    toPicture,
    /** Everything that the picture server has sent to viewers. */
    toViewer,
    /** The machine of the first console causes an event. */
    cause: (event: MachineEvent) => listening?.onPictureMessage({ type: 'machine', connection: 1, event }),
    /** The worker dies. */
    losePicture: () => lose(),
    /** The worker is busy: the screen hears nothing of it. */
    holdPicture: () => void (holding ??= []),
    releasePicture() {
      const held = holding ?? [];
      holding = undefined;
      for (const deliver of held) deliver();
    },
  };
}
