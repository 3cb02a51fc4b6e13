import type { ServerClipboardFilter } from './server-clipboard-filter.ts';
import type { ClipboardPolicy } from './clipboard-policy.ts';
import { clientMessageTypes } from './client-message-filter.ts';
import { encodings, filterEncodings } from './encodings.ts';
import type { UpdateRateLimiter } from './update-rate-limiter.ts';

/** What goes to the machine in place of a viewer's message: most often itself; undefined: nothing. */
export type ClientMessagePolicy = (message: Buffer) => Buffer | undefined;

/** What a grant says of the messages that a viewer may send; view-only is no concern of it. */
export function createClientMessagePolicy(rules: {
  readonly clipboard: ClipboardPolicy;
  /** Where the machine must not give its clipboard away. */
  readonly serverClipboard?: ServerClipboardFilter | undefined;
  readonly rateLimiter?: UpdateRateLimiter | undefined;
}): ClientMessagePolicy {
  const { clipboard, serverClipboard: guard, rateLimiter: pace } = rules;

  function mayOffer(encoding: number): boolean {
    if (encoding === encodings.extendedClipboard && !clipboard.extended) return false;
    // Updates without requests would know no pace.
    if (encoding === encodings.continuousUpdates && pace) return false;
    return guard?.allowsEncoding(encoding) ?? true;
  }

  return (message) => {
    switch (message[0]) {
      case clientMessageTypes.setPixelFormat:
        guard?.setPixelFormat(message);
        return message;
      case clientMessageTypes.setEncodings:
        guard?.lockPixelFormat();
        return filterEncodings(message, mayOffer);
      case clientMessageTypes.framebufferUpdateRequest:
        guard?.lockPixelFormat();
        return pace ? pace.request(message) : message;
      case clientMessageTypes.enableContinuousUpdates:
        return pace ? undefined : message;
      case clientMessageTypes.clientCutText:
        return cutTextPasses(message) ? message : undefined;
      default:
        return message;
    }
  };

  /** By its head: eight bytes, and four of flags in the extended clipboard. */
  function cutTextPasses(head: Buffer): boolean {
    return head.length === 12 ? clipboard.allowsIn(head.readInt32BE(8)) : clipboard.textIn;
  }
}
