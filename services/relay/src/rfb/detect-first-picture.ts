import { createServerMessageReader, type ServerMessageReader } from './server-message-reader.ts';
import { interceptLink, type UpstreamSide } from '../stream/upstream-side.ts';

/**
 * Tells when the machine's first pixels arrive, by reading what comes before them: its offers and the state of its
 * keyboard are no picture. From then on nothing is between the link and whoever handles it.
 */
export function detectFirstPicture(side: UpstreamSide, onPicture: () => void): UpstreamSide {
  const { link, takeLeftover: takeRest } = side;
  let messages: ServerMessageReader | undefined = createServerMessageReader({
    pixelFormat: () => undefined,
    allowsClipboardMessage: () => true,
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
    link: interceptLink(link, (handler) => {
      if (!messages) {
        link.setHandler(handler);
        return;
      }
      link.setHandler({
        onDrained: () => handler.onDrained?.(),
        onEnded: (error) => handler.onEnded(error),
        onBytes(source, start, end) {
          look(source, start, end);
          if (!messages) link.setHandler(handler);
          handler.onBytes(source, start, end);
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
