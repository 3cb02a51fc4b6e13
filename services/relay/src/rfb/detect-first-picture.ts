import { interceptLink } from '../stream/intercept-link.ts';
import type { MessageReader, UpstreamSide } from '../stream/upstream-side.ts';
import { createServerMessageReader } from './server-message-reader.ts';

/**
 * Calls `onPicture` when the machine's first pixels arrive. Messages before them, such as the name of the desktop or
 * the state of the keyboard, are no picture. After the first picture, the link is used directly again.
 */
export function detectFirstPicture(side: UpstreamSide, onPicture: () => void): UpstreamSide {
  const { link } = side;
  let reader: MessageReader | undefined = createServerMessageReader({
    viewerPixelFormat: () => undefined,
    allowsClipboardMessage: () => true,
    onPixels: onDetected,
  });

  function onDetected(): void {
    if (!reader) return;
    reader = undefined;
    onPicture();
  }

  function inspect(source: Buffer, start: number, end: number): void {
    try {
      reader?.read(source, start, end, discard);
    } catch {
      // An encoding that the viewer offered and the reader does not support: most likely a picture.
      onDetected();
    }
  }

  return {
    link: interceptLink(link, (handler) => {
      if (!reader) {
        link.setHandler(handler);
        return;
      }
      link.setHandler({
        onDrained: () => handler.onDrained?.(),
        onEnded: (error) => handler.onEnded(error),
        onBytes(source, start, end) {
          inspect(source, start, end);
          if (!reader) link.setHandler(handler);
          handler.onBytes(source, start, end);
        },
      });
    }),
    takeLeftover() {
      const leftover = side.takeLeftover();
      inspect(leftover, 0, leftover.length);
      return leftover;
    },
  };
}

function discard(): void {}
