import type { ClipboardPolicy } from './clipboard-policy.ts';
import { encodings, filterEncodings } from './encodings.ts';
import { clientMessageTypes } from './message-types.ts';
import type { ServerClipboardFilter } from './server-clipboard-filter.ts';
import type { UpdateRateLimiter } from './update-rate-limiter.ts';

/**
 * Decides what the machine gets of a viewer's message: the same message, a restricted one, or undefined for none. Cut
 * text messages come without their text.
 */
export type ClientMessagePolicy = (message: Buffer) => Buffer | undefined;

/** Applies a grant to the messages of its viewer. The message filter handles view-only sessions. */
export function createClientMessagePolicy(rules: {
  readonly clipboard: ClipboardPolicy;
  /** Set if text of the machine's clipboard must not reach the viewer. */
  readonly serverClipboard?: ServerClipboardFilter | undefined;
  /** Set if the grant limits the update rate. */
  readonly rateLimiter?: UpdateRateLimiter | undefined;
}): ClientMessagePolicy {
  const { clipboard, serverClipboard, rateLimiter } = rules;

  function allowsEncoding(encoding: number): boolean {
    if (encoding === encodings.extendedClipboard && !clipboard.extended) return false;
    // The server sends continuous updates without requests, so they can't be limited.
    if (encoding === encodings.continuousUpdates && rateLimiter) return false;
    return serverClipboard?.allowsEncoding(encoding) ?? true;
  }

  return (message) => {
    switch (message[0]) {
      case clientMessageTypes.setPixelFormat:
        serverClipboard?.setPixelFormat(message);
        return message;
      case clientMessageTypes.setEncodings:
        serverClipboard?.lockPixelFormat();
        return filterEncodings(message, allowsEncoding);
      case clientMessageTypes.framebufferUpdateRequest:
        serverClipboard?.lockPixelFormat();
        return rateLimiter ? rateLimiter.request(message) : message;
      case clientMessageTypes.enableContinuousUpdates:
        return rateLimiter ? undefined : message;
      case clientMessageTypes.clientCutText:
        return allowsCutText(message) ? message : undefined;
      default:
        return message;
    }
  };

  /** A cut text has eight bytes before its text; an extended one has four more, its flags. */
  function allowsCutText(message: Buffer): boolean {
    return message.length === 12 ? clipboard.allowsIn(message.readInt32BE(8)) : clipboard.textIn;
  }
}
