import { WrappedLink } from '../stream/intercept-link.ts';
import type { Link, LinkHandler } from '../stream/link.ts';
import type { ForwardBytes, UpstreamSide } from '../stream/upstream-side.ts';
import type { Capture } from './capture.ts';

/** Shows the bytes of a machine to `onBytes` before they are forwarded. Does not read the machine while its recorder says so. */
export function recordUpstream(
  { link, takeLeftover }: UpstreamSide,
  recorder: Capture['recorder'],
  onBytes: ForwardBytes,
): UpstreamSide {
  return {
    link: new RecordedLink(link, recorder, onBytes),
    takeLeftover() {
      const leftover = takeLeftover();
      if (leftover.length > 0) onBytes(leftover, 0, leftover.length);
      return leftover;
    },
  };
}

class RecordedLink extends WrappedLink {
  readonly #recorder: Capture['recorder'];
  readonly #onBytes: ForwardBytes;
  /** Paused for another reason than the recorder. */
  #paused = false;
  #waits = false;

  constructor(link: Link, recorder: Capture['recorder'], onBytes: ForwardBytes) {
    super(link);
    this.#recorder = recorder;
    this.#onBytes = onBytes;
  }

  override pause(): void {
    this.#paused = true;
    this.link.pause();
  }

  override resume(): void {
    this.#paused = false;
    if (!this.#waits) this.link.resume();
  }

  setHandler(handler: LinkHandler): void {
    this.link.setHandler({
      onBytes: (source, start, end) => {
        this.#onBytes(source, start, end);
        handler.onBytes(source, start, end);
        if (!this.#waits && this.#recorder.mustWait?.(this.#onCaughtUp)) this.#wait();
      },
      onDrained: () => handler.onDrained?.(),
      onEnded: (error) => handler.onEnded(error),
    });
  }

  #wait(): void {
    this.#waits = true;
    this.link.pause();
  }

  readonly #onCaughtUp = (): void => {
    this.#waits = false;
    if (!this.#paused) this.link.resume();
  };
}
