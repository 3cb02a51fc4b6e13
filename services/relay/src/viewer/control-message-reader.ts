import type { Clock } from '@porthole/shared/time/clock';
import { clientMessage, type ClientMessage } from '@porthole/shared/protocol/control-messages';
import { PortholeError } from '@porthole/shared/errors';
import { parseJson } from '@porthole/shared/parse-json';

/** Longest message, in characters. */
const maxLength = 256;
/** Most messages in a period: a page sends a few pings, and a user answers notices and switches between tabs. */
const maxMessages = 60;
const periodMs = 10_000;

/** Reads the control messages of one viewer. */
export type ControlMessageReader = (text: string) => ClientMessage;

/** The reader throws `viewer_message_too_big`, or `viewer_protocol` for unknown or too many messages. */
export function createControlMessageReader(clock: Clock): ControlMessageReader {
  let periodStart = clock.now();
  let messages = 0;
  return (text) => {
    if (text.length > maxLength)
      throw new PortholeError('viewer_message_too_big', {
        detail: `control message of ${text.length} characters`,
      });
    if (clock.now() - periodStart >= periodMs) {
      periodStart = clock.now();
      messages = 0;
    }
    messages += 1;
    if (messages > maxMessages)
      throw new PortholeError('viewer_protocol', { detail: 'too many control messages' });
    const message = clientMessage.safeParse(parseJson(text));
    if (!message.success) throw new PortholeError('viewer_protocol', { detail: 'unknown control message' });
    return message.data;
  };
}
