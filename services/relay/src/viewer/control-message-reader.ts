import type { Clock } from '@porthole/shared/time/clock';
import { clientMessage, type ClientMessage } from '@porthole/shared/protocol/control-messages';
import { PortholeError } from '@porthole/shared/errors';
import { parseJson } from '@porthole/shared/parse-json';

/** The longest text frame of a viewer, and how many it may send in ten seconds: people answer notices, no more. */
const maxTextLength = 256;
const maxTexts = 10;
const periodMs = 10_000;

/** Reads what a viewer says in text frames. Throws `viewer_message_too_big` or `viewer_protocol`. */
export function createClientWords(clock: Clock): (text: string) => ClientMessage {
  let since = clock.now();
  let texts = 0;
  return (text) => {
    if (text.length > maxTextLength)
      throw new PortholeError('viewer_message_too_big', { detail: `${text.length} characters of text` });
    if (clock.now() - since >= periodMs) {
      since = clock.now();
      texts = 0;
    }
    texts += 1;
    if (texts > maxTexts) throw new PortholeError('viewer_protocol', { detail: 'too many texts' });
    const message = clientMessage.safeParse(parseJson(text));
    if (!message.success) throw new PortholeError('viewer_protocol', { detail: 'an unknown text' });
    return message.data;
  };
}
