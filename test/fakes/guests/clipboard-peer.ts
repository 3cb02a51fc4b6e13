import { deflateSync, inflateSync } from 'node:zlib';
import { eventually } from '../../eventually.ts';
import type { RfbClient, ServerCutText } from './rfb-client.ts';

/**
 * noVNC's side of the extended clipboard (rfbproto, "Extended Clipboard"): announces its capabilities and its text, provides
 * the text on request, and requests the text of the other side.
 */
export interface ClipboardPeer {
  /** Sets the text and announces it. */
  copy(text: string): void;
  /** Texts that the other side has provided so far. */
  texts(): readonly string[];
  /** Number of messages of the other side so far. */
  heard(): number;
  /** Waits until the other side has announced its capabilities. */
  ready(): Promise<void>;
}

const actions = { caps: 1 << 24, request: 1 << 25, peek: 1 << 26, notify: 1 << 27, provide: 1 << 28 };
const text = 1;

export function createClipboardPeer(rfb: RfbClient): ClipboardPeer {
  let own = '';
  let answered = 0;
  const given: string[] = [];

  function answer({ flags, body }: ServerCutText): void {
    if (flags === undefined) given.push(body.toString('latin1'));
    else if (flags & actions.caps)
      rfb.extendedCutText(
        Object.values(actions).reduce((all, one) => all | one, text),
        Buffer.alloc(4),
      );
    else if (flags & actions.request) {
      const bytes = Buffer.from(`${own}\0`);
      const size = Buffer.alloc(4);
      size.writeUInt32BE(bytes.length);
      rfb.extendedCutText(actions.provide | text, deflateSync(Buffer.concat([size, bytes])));
    } else if (flags & actions.notify) rfb.extendedCutText(actions.request | text);
    else if (flags & actions.provide)
      given.push(inflateSync(body).subarray(4).toString('utf8').replace(/\0$/, ''));
  }

  // Polls, because the client only collects messages.
  const timer = setInterval(() => {
    for (; answered < rfb.cutTexts.length; answered++) answer(rfb.cutTexts[answered] as ServerCutText);
  }, 5);
  void rfb.closed.finally(() => clearInterval(timer));

  return {
    copy(next) {
      own = next;
      rfb.extendedCutText(actions.notify | text);
    },
    texts: () => given,
    heard: () => rfb.cutTexts.length,
    ready: async () => {
      await eventually('the server announces the capabilities of its clipboard', () =>
        rfb.cutTexts.some(({ flags = 0 }) => (flags & actions.caps) !== 0),
      );
    },
  };
}
