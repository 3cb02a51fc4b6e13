import { createServerMessages, type ServerMessages } from './server-messages.ts';
import { withHandle, type UpstreamSide } from '../stream/read-link.ts';

/**
 * Tells when the machine's first pixels arrive, by reading what comes before them: its offers and the state of its
 * keyboard are no picture. From then on nothing is between the link and whoever handles it.
 */
export function watchFirstPicture(side: UpstreamSide, onPicture: () => void): UpstreamSide {
  const { link, takeLeftover: takeRest } = side;
  let messages: ServerMessages | undefined = createServerMessages({
    pixelFormat: () => undefined,
    clipboardWords: () => true,
    onPixels: found,
  });

  function found(): void {
    if (!messages) return;
    messages = undefined;
    onPicture();
  }

  function look(source: Buffer, start: number, end: number): void {
    try {
      messages?.read(source, start, end, () => {});
    } catch {
      // What is not understood here may be whatever its viewer has offered: most likely a picture.
      found();
    }
  }

  return {
    link: withHandle(link, (handler) => {
      if (!messages) {
        link.handle(handler);
        return;
      }
      link.handle({
        drained: () => handler.drained?.(),
        ended: (error) => handler.ended(error),
        bytes(source, start, end) {
          look(source, start, end);
          if (!messages) link.handle(handler);
          handler.bytes(source, start, end);
        },
      });
    }),
    takeLeftover() {
      const rest = takeRest();
      look(rest, 0, rest.length);
      return rest;
    },
  };
}
