import { PortholeError } from '@porthole/shared/errors';
import { parseJson } from '@porthole/shared/parse-json';
import { wallClientMessage, type WallClientMessage } from '@porthole/shared/protocol/wall-messages';
import type { Clock } from '@porthole/shared/time/clock';
import { createRequestRate } from '../sharing/request-rate.ts';

/** Longest message in characters: all seats of the largest wall, with five digits each. */
const maxLength = 2048;
/** A page that is scrolled sends a few messages per second, and pings. */
const messageRate = { burst: 60, perSecond: 6 };

/** The reader throws `viewer_message_too_big`, or `viewer_protocol` for unknown or too many messages. */
export function createWallMessageReader(clock: Clock): (text: string) => WallClientMessage {
  const maySend = createRequestRate(clock, messageRate);
  return (text) => {
    if (text.length > maxLength)
      throw new PortholeError('viewer_message_too_big', {
        detail: `wall message of ${text.length} characters`,
      });
    if (!maySend()) throw new PortholeError('viewer_protocol', { detail: 'too many wall messages' });
    const message = wallClientMessage.safeParse(parseJson(text));
    if (!message.success) throw new PortholeError('viewer_protocol', { detail: 'unknown wall message' });
    return message.data;
  };
}
