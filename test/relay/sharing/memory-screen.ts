import { PortholeError } from '@porthole/shared/errors';
import type { LinkHandler } from '@porthole/relay/stream/link';
import type { MachineLink } from '@porthole/relay/upstream/proxmox-link';
import type {
  ScreenUpstream,
  SharedScreen,
  SharedScreenEvents,
} from '@porthole/relay/screen/shared-screen-contract';

/** A machine's console in memory, which can be told to send and to end. */
export interface MemoryConsole {
  readonly link: MachineLink;
  readonly destroyed: boolean;
  readonly paused: boolean;
  readonly sent: string;
  sends(text: string): void;
  closes(error?: PortholeError): void;
}

export function createMemoryConsole(): MemoryConsole {
  let handler: LinkHandler | undefined;
  let destroyed = false;
  let paused = false;
  let ended: { error: PortholeError | undefined } | undefined;
  let sent = '';
  const early: Buffer[] = [];
  return {
    get destroyed() {
      return destroyed;
    },
    get paused() {
      return paused;
    },
    get sent() {
      return sent;
    },
    link: {
      buffered: 0,
      framesSent: 0,
      send(source, start = 0, end = source.length) {
        sent += source.toString('latin1', start, end);
        return true;
      },
      pause: () => void (paused = true),
      resume: () => void (paused = false),
      setHandler(next) {
        handler = next;
        for (const bytes of early.splice(0)) next.onBytes(bytes, 0, bytes.length);
        if (ended) next.onEnded(ended.error);
      },
      ping: (onPong) => onPong(),
      destroy: () => void (destroyed = true),
    },
    sends(text) {
      const bytes = Buffer.from(text, 'latin1');
      if (destroyed || ended) return;
      if (handler) handler.onBytes(bytes, 0, bytes.length);
      else early.push(bytes);
    },
    closes(error) {
      if (ended || destroyed) return;
      ended = { error };
      handler?.onEnded(error);
    },
  };
}

/** A shared screen without pictures: what the machine sends first is its picture, and all viewers get the same bytes. */
export function createMemoryScreen(
  events: SharedScreenEvents,
  limits: { readonly viewers: number },
): SharedScreen {
  const viewers = new Set<{ handler: LinkHandler | undefined; end(error?: PortholeError): void }>();
  let upstream: MachineLink | undefined;
  let fail: ((error: Error) => void) | undefined;
  let stopped = false;

  const drop = () => {
    upstream?.destroy();
    upstream = undefined;
  };
  const screen: SharedScreen = {
    get viewers() {
      return viewers.size;
    },
    connect({ link, takeLeftover }: ScreenUpstream) {
      drop();
      if (stopped) {
        link.destroy();
        return Promise.reject(new PortholeError('internal', { detail: 'stopped' }));
      }
      upstream = link;
      return new Promise<void>((resolve, reject) => {
        fail = reject;
        let live = false;
        const onBytes = (source: Buffer, start: number, end: number) => {
          if (upstream !== link || start === end) return;
          if (!live) resolve();
          live = true;
          for (const { handler } of viewers) handler?.onBytes(source, start, end);
        };
        const leftover = takeLeftover();
        onBytes(leftover, 0, leftover.length);
        link.setHandler({
          onBytes,
          onEnded(error) {
            if (upstream !== link) return;
            drop();
            if (live) events.onUpstreamLost(error);
            else reject(error ?? new PortholeError('console_lost'));
          },
        });
      });
    },
    thumbnails: 0,
    attachThumbnail: () => screen.attach({ control: false }).link,
    attach({ control }) {
      if (viewers.size >= limits.viewers) throw new PortholeError('screen_full');
      let mayType = control;
      let ended: { error: PortholeError | undefined } | undefined;
      const leave = () => {
        if (viewers.delete(viewer)) events.onViewers(viewers.size);
      };
      const viewer = {
        handler: undefined as LinkHandler | undefined,
        end(error?: PortholeError) {
          ended ??= { error };
          leave();
          viewer.handler?.onEnded(error);
        },
      };
      viewers.add(viewer);
      events.onViewers(viewers.size);
      return {
        setControl: (has) => void (mayType = has),
        link: {
          buffered: 0,
          framesSent: 0,
          send(source, start, end) {
            if (mayType) upstream?.send(source, start, end);
            return true;
          },
          pause() {},
          resume() {},
          setHandler(next) {
            viewer.handler = next;
            if (ended) next.onEnded(ended.error);
          },
          ping: (onPong) => onPong(),
          destroy: leave,
        },
      };
    },
    end(error) {
      if (stopped) return;
      stopped = true;
      drop();
      fail?.(error ?? new PortholeError('console_lost'));
      for (const viewer of viewers) viewer.end(error);
    },
  };
  return screen;
}
