import type { ClipboardGuard } from './clipboard-guard.ts';
import type { ClipboardPolicy } from './clipboard.ts';
import { clientMessages } from './client-messages.ts';
import { encodings, keepEncodings } from './encodings.ts';
import type { UpdatePace } from './update-pace.ts';

/** What goes to the machine in place of a viewer's message: most often itself; undefined: nothing. */
export type ClientRule = (message: Buffer) => Buffer | undefined;

/** What a grant says of the messages that a viewer may send; view-only is no concern of it. */
export function createClientRule(rules: {
  readonly clipboard: ClipboardPolicy;
  /** Where the machine must not give its clipboard away. */
  readonly guard?: ClipboardGuard | undefined;
  readonly pace?: UpdatePace | undefined;
}): ClientRule {
  const { clipboard, guard, pace } = rules;

  function mayOffer(encoding: number): boolean {
    if (encoding === encodings.extendedClipboard && !clipboard.extended) return false;
    // Updates without requests would know no pace.
    if (encoding === encodings.continuousUpdates && pace) return false;
    return guard?.mayOffer(encoding) ?? true;
  }

  return (message) => {
    switch (message[0]) {
      case clientMessages.setPixelFormat:
        guard?.setPixelFormat(message);
        return message;
      case clientMessages.setEncodings:
        guard?.begin();
        return keepEncodings(message, mayOffer);
      case clientMessages.framebufferUpdateRequest:
        guard?.begin();
        return pace ? pace.request(message) : message;
      case clientMessages.enableContinuousUpdates:
        return pace ? undefined : message;
      case clientMessages.clientCutText:
        return cutTextPasses(message) ? message : undefined;
      default:
        return message;
    }
  };

  /** By its head: eight bytes, and four of flags in the extended clipboard. */
  function cutTextPasses(head: Buffer): boolean {
    return head.length === 12 ? clipboard.passesIn(head.readInt32BE(8)) : clipboard.textIn;
  }
}
