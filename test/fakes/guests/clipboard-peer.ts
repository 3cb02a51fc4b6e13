import { deflateSync, inflateSync } from 'node:zlib';
import { eventually } from '../../eventually.ts';
import type { RfbClient, ServerCutText } from './rfb-client.ts';

/**
 * The extended clipboard as noVNC speaks it: says what it can do, says that it has text, gives it to whoever asks,
 * and asks for what the other side has (rfbproto, "Extended Clipboard").
 */
export interface ClipboardPeer {
  /** Has text from now on. */
  copy(text: string): void;
  /** Texts that the other side has given so far. */
  texts(): readonly string[];
  /** The other side's messages so far, whatever they said. */
  heard(): number;
  /** Waits until the other side has said what it can do. */
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

  /** Looked at in turns: the client collects, nobody is called. */
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
      await eventually('the server says what its clipboard can do', () =>
        rfb.cutTexts.some(({ flags = 0 }) => (flags & actions.caps) !== 0),
      );
    },
  };
}
