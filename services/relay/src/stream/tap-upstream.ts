import { interceptLink } from './intercept-link.ts';
import type { ForwardBytes, UpstreamSide } from './upstream-side.ts';

/** Shows the bytes of a machine to `onBytes` before they are forwarded, unchanged. */
export function tapUpstream({ link, takeLeftover }: UpstreamSide, onBytes: ForwardBytes): UpstreamSide {
  return {
    link: interceptLink(link, (handler) =>
      link.setHandler({
        onBytes(source, start, end) {
          onBytes(source, start, end);
          handler.onBytes(source, start, end);
        },
        onDrained: () => handler.onDrained?.(),
        onEnded: (error) => handler.onEnded(error),
      }),
    ),
    takeLeftover() {
      const leftover = takeLeftover();
      if (leftover.length > 0) onBytes(leftover, 0, leftover.length);
      return leftover;
    },
  };
}
